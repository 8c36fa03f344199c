// e^x, silu and the softmax of a few values: the same operations in every build, and no libm.
#pragma once

#include "vec16.h"

namespace octet::OCTET_ISA {

// e^x within 2 units in the last place for x in [-87.3, 88.3]; x beyond is taken as that bound
// (1.2e-38, 2.2e38). NaN gives NaN.
//
// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by the Taylor polynomial of degree 7 (error 6e-9
// relative, under a tenth of a unit in the last place); 2^n by setting the exponent.
OCTET_INLINE Vec16 exp(Vec16 x) {
  x = max(broadcast(-87.3f), min(broadcast(88.3f), x));
  // 1.5 × 2^23 + 127: the integer part lands in the low bits, biased as an f32 exponent is.
  const Vec16 bias = broadcast(12583039.0f);
  const Vec16 biased = fma(x, broadcast(1.44269504f), bias);
  const Vec16 n = sub(biased, bias);
  Vec16 r = fma(n, broadcast(-0.693145752f), x);      // ln 2, its upper bits
  r = fma(n, broadcast(-1.42860677e-6f), r);          // and the rest
  Vec16 p = broadcast(1.98412698e-4f);                // 1 / 7!
  p = fma(p, r, broadcast(1.38888889e-3f));           // 1 / 6!
  p = fma(p, r, broadcast(8.33333333e-3f));           // 1 / 5!
  p = fma(p, r, broadcast(4.16666667e-2f));           // 1 / 4!
  p = fma(p, r, broadcast(1.66666667e-1f));           // 1 / 3!
  p = fma(p, r, broadcast(0.5f));
  p = fma(p, r, broadcast(1.0f));
  p = fma(p, r, broadcast(1.0f));
  return mul(p, shiftIntoExponent(biased));
}

// x / (1 + e^-x)
OCTET_INLINE Vec16 silu(Vec16 x) {
  const Vec16 one = broadcast(1.0f);
  return div(x, add(one, exp(sub(broadcast(0.0f), x))));
}

static void siluMultiply(float* a, const float* b, int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) store(a + i, mul(silu(load(a + i)), load(b + i)));
  if (i < count) {
    const int64_t left = count - i;
    storePart(a + i, mul(silu(loadPart(a + i, left)), loadPart(b + i, left)), left);
  }
}

static void softmaxFalling(float* values, int64_t count) {
  float lanes[16];
  store(lanes, exp(sub(loadPart(values, count), broadcast(values[0]))));
  float sum = 0.0f;
  for (int64_t i = 0; i < count; i++) sum = sum + lanes[i];
  for (int64_t i = 0; i < count; i++) values[i] = lanes[i] / sum;
}

}  // namespace octet::OCTET_ISA
