// Vec16 as two AVX2 registers: lanes 0 .. 7 in `lo`, 8 .. 15 in `hi`. Included by vec16.h.
#pragma once

#include <immintrin.h>

namespace octet::avx2 {

struct Vec16 {
  __m256 lo, hi;
};

OCTET_INLINE Vec16 broadcast(float a) { return {_mm256_set1_ps(a), _mm256_set1_ps(a)}; }
OCTET_INLINE Vec16 add(Vec16 a, Vec16 b) {
  return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
OCTET_INLINE Vec16 sub(Vec16 a, Vec16 b) {
  return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}
OCTET_INLINE Vec16 mul(Vec16 a, Vec16 b) {
  return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
OCTET_INLINE Vec16 div(Vec16 a, Vec16 b) {
  return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}
OCTET_INLINE Vec16 abs(Vec16 a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}
OCTET_INLINE Vec16 max(Vec16 a, Vec16 b) {
  return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
}
OCTET_INLINE Vec16 min(Vec16 a, Vec16 b) {
  return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
}
OCTET_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

OCTET_INLINE Vec16 load(const void* from) {
  const float* p = static_cast<const float*>(from);
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
OCTET_INLINE void store(float* to, Vec16 a) {
  _mm256_storeu_ps(to, a.lo);
  _mm256_storeu_ps(to + 8, a.hi);
}

OCTET_INLINE float reduceAdd(Vec16 a) {
  const __m256 eight = _mm256_add_ps(a.lo, a.hi);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
OCTET_INLINE float reduceMax(Vec16 a) {
  const __m256 eight = _mm256_max_ps(a.lo, a.hi);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

OCTET_INLINE __m256 shiftIntoExponent8(__m256 a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23));
}
OCTET_INLINE Vec16 shiftIntoExponent(Vec16 a) {
  return {shiftIntoExponent8(a.lo), shiftIntoExponent8(a.hi)};
}

OCTET_INLINE __m256 widenBf16(__m128i half) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}
OCTET_INLINE Vec16 loadF16(const void* from) {
  const __m128i* p = static_cast<const __m128i*>(from);
  return {_mm256_cvtph_ps(_mm_loadu_si128(p)), _mm256_cvtph_ps(_mm_loadu_si128(p + 1))};
}
OCTET_INLINE Vec16 loadBf16(const void* from) {
  const __m128i* p = static_cast<const __m128i*>(from);
  return {widenBf16(_mm_loadu_si128(p)), widenBf16(_mm_loadu_si128(p + 1))};
}
// The bf16 bits of each lane, in its low half.
OCTET_INLINE __m256i roundBf16(__m256 a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i bias = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x00400000));
  const __m256i isNan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  const __m256i rounded = _mm256_blendv_epi8(_mm256_add_epi32(bits, bias), quiet, isNan);
  return _mm256_srli_epi32(rounded, 16);
}
OCTET_INLINE void storeBf16(void* to, Vec16 a) {
  // Packing works within 128-bit halves; the permutation puts the quarters back in order.
  const __m256i packed = _mm256_packus_epi32(roundBf16(a.lo), roundBf16(a.hi));
  _mm256_storeu_si256(static_cast<__m256i*>(to), _mm256_permute4x64_epi64(packed, 0xd8));
}

OCTET_INLINE __m256i loadBytes(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
// Four signed activations, in every 32-bit lane.
OCTET_INLINE __m256i broadcastQuants(const int8_t* four) {
  int32_t bits;
  memcpy(&bits, four, sizeof bits);
  return _mm256_set1_epi32(bits);
}

// Dot products of sixteen weight rows with one activation row over a block. Bytes are multiplied
// as words, even and odd columns apart: 255 × 127 would not fit where vpmaddubsw adds two.
struct Q8Dot {
  static constexpr int columns = 4;  // of a vector of weights
  struct Sums {
    __m256i lo, hi;
  };
  struct Weights {
    __m256i evenLo, oddLo, evenHi, oddHi;
  };

  OCTET_INLINE Sums start(int32_t correction) {
    return {_mm256_set1_epi32(correction), _mm256_set1_epi32(correction)};
  }
  OCTET_INLINE Weights load(const uint8_t* from) {
    const __m256i lo = loadBytes(from), hi = loadBytes(from + 32);
    const __m256i even = _mm256_set1_epi16(0xff);
    return {_mm256_and_si256(lo, even), _mm256_srli_epi16(lo, 8),
            _mm256_and_si256(hi, even), _mm256_srli_epi16(hi, 8)};
  }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    const __m256i four = broadcastQuants(quants);
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8);
    const __m256i odd = _mm256_srai_epi16(four, 8);
    const __m256i lo = _mm256_add_epi32(_mm256_madd_epi16(weights.evenLo, even),
                                        _mm256_madd_epi16(weights.oddLo, odd));
    const __m256i hi = _mm256_add_epi32(_mm256_madd_epi16(weights.evenHi, even),
                                        _mm256_madd_epi16(weights.oddHi, odd));
    sums = {_mm256_add_epi32(sums.lo, lo), _mm256_add_epi32(sums.hi, hi)};
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t) {
    return {_mm256_cvtepi32_ps(sums.lo), _mm256_cvtepi32_ps(sums.hi)};
  }
};

// Sums of two columns stay in words for a whole block: 16 products of at most 15 × 128 fit.
struct Q4Dot {
  static constexpr int columns = 8;
  struct Sums {
    __m256i lo, hi;
  };
  struct Weights {
    __m256i lowerLo, upperLo, lowerHi, upperHi;  // nibbles; halves of the rows
  };

  OCTET_INLINE Sums start(int32_t) { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  OCTET_INLINE __m256i upperNibbles(__m256i both) {
    return _mm256_and_si256(_mm256_srli_epi16(both, 4), _mm256_set1_epi8(15));
  }
  OCTET_INLINE Weights load(const uint8_t* from) {
    const __m256i lo = loadBytes(from), hi = loadBytes(from + 32);
    const __m256i nibble = _mm256_set1_epi8(15);
    return {_mm256_and_si256(lo, nibble), upperNibbles(lo),
            _mm256_and_si256(hi, nibble), upperNibbles(hi)};
  }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    const __m256i lower = broadcastQuants(quants), upper = broadcastQuants(quants + 4);
    const __m256i lo = _mm256_add_epi16(_mm256_maddubs_epi16(weights.lowerLo, lower),
                                        _mm256_maddubs_epi16(weights.upperLo, upper));
    const __m256i hi = _mm256_add_epi16(_mm256_maddubs_epi16(weights.lowerHi, lower),
                                        _mm256_maddubs_epi16(weights.upperHi, upper));
    sums = {_mm256_add_epi16(sums.lo, lo), _mm256_add_epi16(sums.hi, hi)};
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t correction) {
    const __m256i one = _mm256_set1_epi16(1), less = _mm256_set1_epi32(correction);
    return {_mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_madd_epi16(sums.lo, one), less)),
            _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_madd_epi16(sums.hi, one), less))};
  }
};

// Sixteen registers: 2 × 3 accumulators of two registers for dense rows. Panels: two running
// totals, two sums and the weights of each.
struct DenseTile {
  static constexpr int vectorRows = 4, weightRows = 2, activationRows = 3;
};
struct PanelShape {
  static constexpr int panelsOfFewRows = 2, fewRows = 1, panels = 1, rows = 2;
};

// Each lane holds two bf16: the lower, and the upper.
OCTET_INLINE __m256 shiftUp16(__m256 a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 16));
}
OCTET_INLINE Vec16 widenLowerBf16(Vec16 a) { return {shiftUp16(a.lo), shiftUp16(a.hi)}; }
OCTET_INLINE Vec16 widenUpperBf16(Vec16 a) {
  const __m256 upper = _mm256_castsi256_ps(_mm256_set1_epi32(int32_t(0xffff0000u)));
  return {_mm256_and_ps(a.lo, upper), _mm256_and_ps(a.hi, upper)};
}

// Queries × columns of sixteen positions or dimensions: 4 accumulators of two registers.
struct AttendTile {
  static constexpr int rows = 4, columns = 1;
};

}  // namespace octet::avx2
