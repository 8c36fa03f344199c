// One token's experts, weighted and summed: acc = fma(weight, row, acc) from zero, in the order
// given (ascending expert id), so that arrival order cannot show.
#pragma once

#include "dense-rows.h"

namespace octet::OCTET_ISA {

template <class Elements>
static int64_t combineRows(const uint8_t* const* rows, const float* weights, int64_t count,
                           int64_t width, float* acc) {
  memset(acc, 0, size_t(width) * sizeof(float));
  const Vec16 zero = broadcast(0.0f);
  for (int64_t k = 0; k < count; k++) {
    const Vec16 weight = broadcast(weights[k]);
    Vec16 notFinite = zero;
    int64_t i = 0;
    for (; i + 16 <= width; i += 16) {
      const Vec16 row = Elements::read(rows[k] + i * Elements::bytes);
      notFinite = fma(row, zero, notFinite);
      store(acc + i, fma(weight, row, load(acc + i)));
    }
    if (i < width) {
      const Vec16 row = Elements::readPart(rows[k] + i * Elements::bytes, width - i);
      notFinite = fma(row, zero, notFinite);
      storePart(acc + i, fma(weight, row, loadPart(acc + i, width - i)), width - i);
    }
    if (!(reduceAdd(notFinite) == 0.0f)) return k;
  }
  return count;
}

static int64_t combine(Format format, const uint8_t* const* rows, const float* weights,
                       int64_t count, int64_t width, float* acc) {
  return format == Format::f32 ? combineRows<F32Elements>(rows, weights, count, width, acc)
                               : combineRows<Bf16Elements>(rows, weights, count, width, acc);
}

}  // namespace octet::OCTET_ISA
