// out[h] = x[h] / sqrt(mean(x²) + eps) * weight[h], in f32. Source: Hugging Face transformers,
// models/mixtral/modeling_mixtral.py, MixtralRMSNorm.
#pragma once

#include "vec16.h"

namespace octet::OCTET_ISA {

static void rmsNorm(const float* x, const uint8_t* weight, float eps, int64_t width, float* out) {
  const int64_t whole = width / 16 * 16, left = width - whole;
  Vec16 squares = broadcast(0.0f);
  for (int64_t i = 0; i < whole; i += 16) squares = fma(load(x + i), load(x + i), squares);
  if (left > 0) {
    const Vec16 tail = loadPart(x + whole, left);
    squares = fma(tail, tail, squares);
  }
  const float mean = reduceAdd(squares) / float(width);
  const Vec16 scale = broadcast(1.0f / sqrtf(mean + eps));
  for (int64_t i = 0; i < whole; i += 16) {
    store(out + i, mul(mul(load(x + i), scale), load(weight + i * 4)));
  }
  if (left > 0) {
    const Vec16 scaled = mul(loadPart(x + whole, left), scale);
    storePart(out + whole, mul(scaled, loadPart(weight + whole * 4, left)), left);
  }
}

}  // namespace octet::OCTET_ISA
