// Vec16 in plain C++: what the other builds must equal, bit for bit. Included by vec16.h.
#pragma once

namespace octet::portable {

struct Vec16 {
  float lane[16];
};

#define OCTET_EACH_LANE(expression)                  \
  Vec16 result;                                      \
  for (int i = 0; i < 16; i++) result.lane[i] = (expression); \
  return result

OCTET_INLINE Vec16 broadcast(float a) { OCTET_EACH_LANE(a); }
OCTET_INLINE Vec16 add(Vec16 a, Vec16 b) { OCTET_EACH_LANE(a.lane[i] + b.lane[i]); }
OCTET_INLINE Vec16 sub(Vec16 a, Vec16 b) { OCTET_EACH_LANE(a.lane[i] - b.lane[i]); }
OCTET_INLINE Vec16 mul(Vec16 a, Vec16 b) { OCTET_EACH_LANE(a.lane[i] * b.lane[i]); }
OCTET_INLINE Vec16 div(Vec16 a, Vec16 b) { OCTET_EACH_LANE(a.lane[i] / b.lane[i]); }
OCTET_INLINE Vec16 abs(Vec16 a) { OCTET_EACH_LANE(fabsf(a.lane[i])); }
// The second operand where either is NaN, as x86 does.
OCTET_INLINE Vec16 max(Vec16 a, Vec16 b) {
  OCTET_EACH_LANE(a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]);
}
OCTET_INLINE Vec16 min(Vec16 a, Vec16 b) {
  OCTET_EACH_LANE(a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]);
}
// a × b + c, rounded once.
OCTET_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  OCTET_EACH_LANE(fmaf(a.lane[i], b.lane[i], c.lane[i]));
}

OCTET_INLINE Vec16 load(const void* from) {
  Vec16 result;
  memcpy(result.lane, from, sizeof result.lane);
  return result;
}
OCTET_INLINE void store(float* to, Vec16 a) { memcpy(to, a.lane, sizeof a.lane); }

// Sums fold the upper half onto the lower: 8, 4, 2, 1.
OCTET_INLINE float reduceAdd(Vec16 a) {
  for (int half = 8; half >= 1; half /= 2) {
    for (int i = 0; i < half; i++) a.lane[i] = a.lane[i] + a.lane[i + half];
  }
  return a.lane[0];
}
OCTET_INLINE float reduceMax(Vec16 a) {
  for (int half = 8; half >= 1; half /= 2) {
    for (int i = 0; i < half; i++) {
      a.lane[i] = a.lane[i] > a.lane[i + half] ? a.lane[i] : a.lane[i + half];
    }
  }
  return a.lane[0];
}

// Each lane's bits, shifted left by 23: an exponent in the low bits becomes a power of two.
OCTET_INLINE Vec16 shiftIntoExponent(Vec16 a) {
  uint32_t bits[16];
  memcpy(bits, a.lane, sizeof bits);
  for (int i = 0; i < 16; i++) bits[i] <<= 23;
  return load(bits);
}

// Exactly, subnormal numbers included.
OCTET_INLINE Vec16 loadF16(const void* from) {
  uint16_t half[16];
  uint32_t bits[16];
  memcpy(half, from, sizeof half);
  for (int i = 0; i < 16; i++) {
    const uint32_t size = half[i] & 0x7fffu;
    const float tiny = float(size) * 0x1p-24f;
    uint32_t tinyBits;
    memcpy(&tinyBits, &tiny, sizeof tiny);
    // 0x1c000 more is the difference of the exponents' biases; all ones stay all ones.
    const uint32_t bias = size < 0x7c00u ? 0x1c000u : 0x38000u;
    const uint32_t wide = size < 0x400u ? tinyBits : (size + bias) << 13;
    bits[i] = wide | uint32_t(half[i] & 0x8000u) << 16;
  }
  return load(bits);
}
OCTET_INLINE Vec16 loadBf16(const void* from) {
  uint16_t half[16];
  uint32_t bits[16];
  memcpy(half, from, sizeof half);
  for (int i = 0; i < 16; i++) bits[i] = uint32_t(half[i]) << 16;
  return load(bits);
}
// Rounds to nearest, ties to even; NaN stays a quiet NaN.
OCTET_INLINE void storeBf16(void* to, Vec16 a) {
  uint32_t bits[16];
  uint16_t half[16];
  memcpy(bits, a.lane, sizeof bits);
  for (int i = 0; i < 16; i++) {
    const bool isNan = (bits[i] & 0x7fffffffu) > 0x7f800000u;
    const uint32_t rounded = bits[i] + 0x7fffu + ((bits[i] >> 16) & 1u);
    half[i] = uint16_t((isNan ? bits[i] | 0x00400000u : rounded) >> 16);
  }
  memcpy(to, half, sizeof half);
}

#undef OCTET_EACH_LANE

// Dot products of sixteen weight rows with one activation row over a block, exact.
struct Q8Dot {
  static constexpr int columns = 4;  // of a vector of weights
  struct Sums {
    int32_t lane[16];
  };
  struct Weights {
    uint8_t bytes[64];  // [row][column]
  };

  OCTET_INLINE Sums start(int32_t correction) {
    Sums sums;
    for (int i = 0; i < 16; i++) sums.lane[i] = correction;
    return sums;
  }
  OCTET_INLINE Weights load(const uint8_t* from) {
    Weights weights;
    memcpy(weights.bytes, from, sizeof weights.bytes);
    return weights;
  }
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    for (int i = 0; i < 16; i++) {
      for (int j = 0; j < 4; j++) sums.lane[i] += int32_t(weights.bytes[4 * i + j]) * quants[j];
    }
  }
  OCTET_INLINE Vec16 finish(const Sums& sums, int32_t) {
    Vec16 result;
    for (int i = 0; i < 16; i++) result.lane[i] = float(sums.lane[i]);
    return result;
  }
};

struct Q4Dot : Q8Dot {
  static constexpr int columns = 8;
  OCTET_INLINE void add(Sums& sums, const Weights& weights, const int8_t* quants) {
    for (int i = 0; i < 16; i++) {
      for (int j = 0; j < 4; j++) {
        const int32_t both = weights.bytes[4 * i + j];
        sums.lane[i] += (both & 15) * quants[j] + (both >> 4) * quants[4 + j];
      }
    }
  }
};

// Register tiles: weight rows, or panels, for few activation rows; by activation rows.
struct DenseTile {
  static constexpr int vectorRows = 1, weightRows = 2, activationRows = 2;
};
struct PanelShape {
  static constexpr int panelsOfFewRows = 1, fewRows = 1, panels = 1, rows = 2;
};

// Each lane holds two bf16: the lower, and the upper.
OCTET_INLINE Vec16 widenLowerBf16(Vec16 a) {
  uint32_t bits[16];
  memcpy(bits, a.lane, sizeof bits);
  for (int i = 0; i < 16; i++) bits[i] <<= 16;
  return load(bits);
}
OCTET_INLINE Vec16 widenUpperBf16(Vec16 a) {
  uint32_t bits[16];
  memcpy(bits, a.lane, sizeof bits);
  for (int i = 0; i < 16; i++) bits[i] &= 0xffff0000u;
  return load(bits);
}

// Queries × columns of sixteen positions or dimensions.
struct AttendTile {
  static constexpr int rows = 2, columns = 2;
};

}  // namespace octet::portable
