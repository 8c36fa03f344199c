// Vec16 as four NEON registers, with the dot products of Armv8.2. Included by vec16.h.
#pragma once

#include <arm_neon.h>

namespace octet::neon {

struct Vec16 {
  float32x4_t quarter[4];
};

#define OCTET_EACH_QUARTER(expression)                               \
  Vec16 result;                                                      \
  for (int i = 0; i < 4; i++) result.quarter[i] = (expression);      \
  return result

OCTET_INLINE Vec16 broadcast(float a) { OCTET_EACH_QUARTER(vdupq_n_f32(a)); }
OCTET_INLINE Vec16 add(Vec16 a, Vec16 b) {
  OCTET_EACH_QUARTER(vaddq_f32(a.quarter[i], b.quarter[i]));
}
OCTET_INLINE Vec16 sub(Vec16 a, Vec16 b) {
  OCTET_EACH_QUARTER(vsubq_f32(a.quarter[i], b.quarter[i]));
}
OCTET_INLINE Vec16 mul(Vec16 a, Vec16 b) {
  OCTET_EACH_QUARTER(vmulq_f32(a.quarter[i], b.quarter[i]));
}
OCTET_INLINE Vec16 div(Vec16 a, Vec16 b) {
  OCTET_EACH_QUARTER(vdivq_f32(a.quarter[i], b.quarter[i]));
}
OCTET_INLINE Vec16 abs(Vec16 a) { OCTET_EACH_QUARTER(vabsq_f32(a.quarter[i])); }
// The second operand where either is NaN, as x86 does; vmaxq and vminq would give NaN.
OCTET_INLINE Vec16 max(Vec16 a, Vec16 b) {
  OCTET_EACH_QUARTER(
      vbslq_f32(vcgtq_f32(a.quarter[i], b.quarter[i]), a.quarter[i], b.quarter[i]));
}
OCTET_INLINE Vec16 min(Vec16 a, Vec16 b) {
  OCTET_EACH_QUARTER(
      vbslq_f32(vcltq_f32(a.quarter[i], b.quarter[i]), a.quarter[i], b.quarter[i]));
}
OCTET_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  OCTET_EACH_QUARTER(vfmaq_f32(c.quarter[i], a.quarter[i], b.quarter[i]));
}

// By bytes: an address may be odd.
OCTET_INLINE Vec16 load(const void* from) {
  const uint8_t* bytes = static_cast<const uint8_t*>(from);
  OCTET_EACH_QUARTER(vreinterpretq_f32_u8(vld1q_u8(bytes + 16 * i)));
}
OCTET_INLINE void store(float* to, Vec16 a) {
  uint8_t* bytes = reinterpret_cast<uint8_t*>(to);
  for (int i = 0; i < 4; i++) vst1q_u8(bytes + 16 * i, vreinterpretq_u8_f32(a.quarter[i]));
}

OCTET_INLINE float reduceAdd(Vec16 a) {
  const float32x4_t four = vaddq_f32(vaddq_f32(a.quarter[0], a.quarter[2]),
                                     vaddq_f32(a.quarter[1], a.quarter[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
OCTET_INLINE float reduceMax(Vec16 a) {
  float lanes[16];
  store(lanes, a);
  for (int half = 8; half >= 1; half /= 2) {
    for (int i = 0; i < half; i++) {
      lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
    }
  }
  return lanes[0];
}

OCTET_INLINE Vec16 shiftIntoExponent(Vec16 a) {
  OCTET_EACH_QUARTER(
      vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a.quarter[i]), 23)));
}

OCTET_INLINE Vec16 loadF16(const void* from) {
  const uint8_t* bytes = static_cast<const uint8_t*>(from);
  OCTET_EACH_QUARTER(vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(bytes + 8 * i))));
}
OCTET_INLINE Vec16 loadBf16(const void* from) {
  const uint8_t* bytes = static_cast<const uint8_t*>(from);
  OCTET_EACH_QUARTER(vreinterpretq_f32_u32(
      vshlq_n_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(bytes + 8 * i))), 16)));
}
// Rounds to nearest, ties to even; NaN stays a quiet NaN.
OCTET_INLINE uint16x4_t roundBf16(float32x4_t a) {
  const uint32x4_t bits = vreinterpretq_u32_f32(a);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t near = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
  const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x00400000));
  return vshrn_n_u32(vbslq_u32(vceqq_f32(a, a), near, quiet), 16);
}
OCTET_INLINE void storeBf16(void* to, Vec16 a) {
  uint8_t* bytes = static_cast<uint8_t*>(to);
  for (int i = 0; i < 4; i++) vst1_u8(bytes + 8 * i, vreinterpret_u8_u16(roundBf16(a.quarter[i])));
}

#undef OCTET_EACH_QUARTER

OCTET_INLINE int8x16_t broadcastQuants(const int8_t* four) {
  int32_t bits;
  memcpy(&bits, four, sizeof bits);
  return vreinterpretq_s8_s32(vdupq_n_s32(bits));
}

// Sixteen rows' sums, four to a register.
struct RowSums {
  int32x4_t quarter[4];
};
OCTET_INLINE RowSums sumsFrom(int32_t start) {
  RowSums sums;
  for (int i = 0; i < 4; i++) sums.quarter[i] = vdupq_n_s32(start);
  return sums;
}
OCTET_INLINE Vec16 toFloat(const RowSums& sums) {
  Vec16 result;
  for (int i = 0; i < 4; i++) result.quarter[i] = vcvtq_f32_s32(sums.quarter[i]);
  return result;
}

// Dot products of sixteen weight rows with one activation row over a block. The instruction takes
// signed bytes, so weights lose their bias as they are loaded.
struct Q8Dot {
  static constexpr int columns = 4;  // of a vector of weights
  using Sums = RowSums;
  struct Weights {
    int8x16_t rows[4];
  };

  OCTET_INLINE Sums start(int32_t) { return sumsFrom(0); }
  OCTET_INLINE Weights load(const uint8_t* from) {
    Weights weights;
    for (int i = 0; i < 4; i++) {
      weights.rows[i] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from + 16 * i), vdupq_n_u8(128)));
    }
    return weights;
  }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    const int8x16_t four = broadcastQuants(quants);
    for (int i = 0; i < 4; i++) {
      sums.quarter[i] = vdotq_s32(sums.quarter[i], weights.rows[i], four);
    }
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t) { return toFloat(sums); }
};

// Nibbles fit a signed byte as they are; their bias is taken out from the start.
struct Q4Dot {
  static constexpr int columns = 8;
  using Sums = RowSums;
  struct Weights {
    int8x16_t lower[4], upper[4];
  };

  OCTET_INLINE Sums start(int32_t correction) { return sumsFrom(correction); }
  OCTET_INLINE Weights load(const uint8_t* from) {
    Weights weights;
    for (int i = 0; i < 4; i++) {
      const uint8x16_t both = vld1q_u8(from + 16 * i);
      weights.lower[i] = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
      weights.upper[i] = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
    }
    return weights;
  }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    const int8x16_t lower = broadcastQuants(quants), upper = broadcastQuants(quants + 4);
    for (int i = 0; i < 4; i++) {
      sums.quarter[i] = vdotq_s32(sums.quarter[i], weights.lower[i], lower);
      sums.quarter[i] = vdotq_s32(sums.quarter[i], weights.upper[i], upper);
    }
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t) { return toFloat(sums); }
};

// Thirty-two registers of four lanes. Dense rows: 12 accumulators of four registers would not fit,
// four do. Panels: one running total and one sum for each of two rows.
struct DenseTile {
  static constexpr int vectorRows = 4, weightRows = 2, activationRows = 2;
};
struct PanelShape {
  static constexpr int panelsOfFewRows = 2, fewRows = 1, panels = 1, rows = 2;
};

// Each lane holds two bf16: the lower, and the upper.
OCTET_INLINE Vec16 widenLowerBf16(Vec16 a) {
  Vec16 result;
  for (int i = 0; i < 4; i++) {
    const uint32x4_t bits = vreinterpretq_u32_f32(a.quarter[i]);
    result.quarter[i] = vreinterpretq_f32_u32(vshlq_n_u32(bits, 16));
  }
  return result;
}
OCTET_INLINE Vec16 widenUpperBf16(Vec16 a) {
  Vec16 result;
  for (int i = 0; i < 4; i++) {
    const uint32x4_t bits = vreinterpretq_u32_f32(a.quarter[i]);
    result.quarter[i] = vreinterpretq_f32_u32(vandq_u32(bits, vdupq_n_u32(0xffff0000u)));
  }
  return result;
}

// Queries × columns of sixteen positions or dimensions: 4 accumulators of four registers.
struct AttendTile {
  static constexpr int rows = 2, columns = 2;
};

}  // namespace octet::neon
