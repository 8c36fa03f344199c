// Vec16 as one AVX-512 register, with VNNI for quantised weights. Included by vec16.h.
#pragma once

#include <immintrin.h>

namespace octet::avx512 {

struct Vec16 {
  __m512 all;
};

OCTET_INLINE Vec16 broadcast(float a) { return {_mm512_set1_ps(a)}; }
OCTET_INLINE Vec16 add(Vec16 a, Vec16 b) { return {_mm512_add_ps(a.all, b.all)}; }
OCTET_INLINE Vec16 sub(Vec16 a, Vec16 b) { return {_mm512_sub_ps(a.all, b.all)}; }
OCTET_INLINE Vec16 mul(Vec16 a, Vec16 b) { return {_mm512_mul_ps(a.all, b.all)}; }
OCTET_INLINE Vec16 div(Vec16 a, Vec16 b) { return {_mm512_div_ps(a.all, b.all)}; }
OCTET_INLINE Vec16 abs(Vec16 a) {
  return {_mm512_andnot_ps(_mm512_set1_ps(-0.0f), a.all)};
}
OCTET_INLINE Vec16 max(Vec16 a, Vec16 b) { return {_mm512_max_ps(a.all, b.all)}; }
OCTET_INLINE Vec16 min(Vec16 a, Vec16 b) { return {_mm512_min_ps(a.all, b.all)}; }
OCTET_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  return {_mm512_fmadd_ps(a.all, b.all, c.all)};
}

OCTET_INLINE Vec16 load(const void* from) { return {_mm512_loadu_ps(from)}; }
OCTET_INLINE void store(float* to, Vec16 a) { _mm512_storeu_ps(to, a.all); }

OCTET_INLINE __m256 lowerHalf(Vec16 a) { return _mm512_castps512_ps256(a.all); }
OCTET_INLINE __m256 upperHalf(Vec16 a) { return _mm512_extractf32x8_ps(a.all, 1); }

OCTET_INLINE float reduceAdd(Vec16 a) {
  const __m256 eight = _mm256_add_ps(lowerHalf(a), upperHalf(a));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
OCTET_INLINE float reduceMax(Vec16 a) {
  const __m256 eight = _mm256_max_ps(lowerHalf(a), upperHalf(a));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

OCTET_INLINE Vec16 shiftIntoExponent(Vec16 a) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a.all), 23))};
}

OCTET_INLINE Vec16 loadF16(const void* from) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(from)))};
}
OCTET_INLINE Vec16 loadBf16(const void* from) {
  const __m256i half = _mm256_loadu_si256(static_cast<const __m256i*>(from));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
}
OCTET_INLINE void storeBf16(void* to, Vec16 a) {
  const __m512i bits = _mm512_castps_si512(a.all);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i bias = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x00400000));
  const __mmask16 isNan = _mm512_cmp_ps_mask(a.all, a.all, _CMP_UNORD_Q);
  const __m512i rounded = _mm512_mask_blend_epi32(isNan, _mm512_add_epi32(bits, bias), quiet);
  _mm256_storeu_si256(static_cast<__m256i*>(to),
                      _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}

// Four signed activations, in every lane.
OCTET_INLINE __m512i broadcastQuants(const int8_t* four) {
  int32_t bits;
  memcpy(&bits, four, sizeof bits);
  return _mm512_set1_epi32(bits);
}

// Dot products of sixteen weight rows with one activation row over a block: VNNI multiplies
// unsigned by signed bytes, and the bias of the weights is taken out from the start.
struct Q8Dot {
  static constexpr int columns = 4;  // of a vector of weights
  using Sums = __m512i;
  using Weights = __m512i;

  OCTET_INLINE Sums start(int32_t correction) { return _mm512_set1_epi32(correction); }
  OCTET_INLINE Weights load(const uint8_t* from) { return _mm512_loadu_si512(from); }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    sums = _mm512_dpbusd_epi32(sums, weights, broadcastQuants(quants));
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t) { return {_mm512_cvtepi32_ps(sums)}; }
};

struct Q4Dot {
  static constexpr int columns = 8;
  using Sums = __m512i;
  struct Weights {
    __m512i lower, upper;
  };

  OCTET_INLINE Sums start(int32_t correction) { return _mm512_set1_epi32(correction); }
  OCTET_INLINE Weights load(const uint8_t* from) {
    const __m512i both = _mm512_loadu_si512(from), nibble = _mm512_set1_epi8(15);
    return {_mm512_and_si512(both, nibble),
            _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble)};
  }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    sums = _mm512_dpbusd_epi32(sums, weights.lower, broadcastQuants(quants));
    sums = _mm512_dpbusd_epi32(sums, weights.upper, broadcastQuants(quants + 4));
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t) { return {_mm512_cvtepi32_ps(sums)}; }
};

// Thirty-two registers. Dense rows: 24 accumulators. Panels: 12 running totals, 12 sums.
struct DenseTile {
  static constexpr int vectorRows = 8, weightRows = 4, activationRows = 6;
};
struct PanelShape {
  static constexpr int panelsOfFewRows = 4, fewRows = 3, panels = 2, rows = 6;
};

// Each lane holds two bf16: the lower, and the upper.
OCTET_INLINE Vec16 widenLowerBf16(Vec16 a) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a.all), 16))};
}
OCTET_INLINE Vec16 widenUpperBf16(Vec16 a) {
  const __m512i upper = _mm512_set1_epi32(int32_t(0xffff0000u));
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.all), upper))};
}

// Queries × columns of sixteen positions or dimensions: 16 accumulators.
struct AttendTile {
  static constexpr int rows = 4, columns = 4;
};

}  // namespace octet::avx512
