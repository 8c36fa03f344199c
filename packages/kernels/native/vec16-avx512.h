// Vec16 as one AVX-512 register, with VNNI for int8. Included by vec16.h.
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

OCTET_INLINE Vec16 loadPair(const float* from) {
  const __m512 lower = _mm512_castps256_ps512(_mm256_broadcast_ss(from));
  return {_mm512_insertf32x8(lower, _mm256_broadcast_ss(from + 1), 1)};
}

// VNNI multiplies unsigned by signed bytes: weights are biased by 128, and `correction` takes
// 128 × Σ quants back out of each lane, exactly.
struct Q8Group {
  int8_t quants[64];
  int32_t correction[16];
};
struct Q8Weights {
  __m512i biased;
};

OCTET_INLINE void packQ8(const int8_t* quants, Q8Group* out) {
  memcpy(out->quants, quants, sizeof out->quants);
  for (int i = 0; i < 16; i++) {
    const int8_t* four = quants + 4 * i;
    out->correction[i] = -128 * (four[0] + four[1] + four[2] + four[3]);
  }
}
OCTET_INLINE Q8Weights loadQ8(const void* from) {
  return {_mm512_xor_si512(_mm512_loadu_si512(from), _mm512_set1_epi8(-128))};
}
OCTET_INLINE Vec16 dotQ8(const Q8Weights& w, const Q8Group* x) {
  const __m512i correction = _mm512_loadu_si512(x->correction);
  const __m512i quants = _mm512_loadu_si512(x->quants);
  return {_mm512_cvtepi32_ps(_mm512_dpbusd_epi32(correction, w.biased, quants))};
}

// Thirty-two registers: 24 accumulators for dense rows, 16 for q8.
struct DenseTile {
  static constexpr int vectorRows = 8, weightRows = 4, activationRows = 6;
};
struct Q8Tile {
  static constexpr int vectorRows = 4, weightRows = 4, activationRows = 4;
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
