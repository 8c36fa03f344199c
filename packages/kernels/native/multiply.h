// out[t][n] = weights[n] · activations[t], by the matrix's format. How rows are grouped into tiles
// changes only what stays in registers: each element's order of operations is that of its format.
#pragma once

#include "multiply-panels.h"
#include "multiply-rows.h"

namespace octet::OCTET_ISA {

static void multiply(const Matrix& matrix, RowRange range, const PreparedRows& activations,
                     float* out, int64_t outStride, float* scratch) {
  switch (matrix.format) {
    case Format::f32:
      return multiplyRows<F32Elements>(matrix, range, activations, out, outStride, scratch);
    case Format::f16:
      return multiplyRows<F16Elements>(matrix, range, activations, out, outStride, scratch);
    case Format::bf16:
      return multiplyRows<Bf16Elements>(matrix, range, activations, out, outStride, scratch);
    case Format::q8:
      return multiplyPanels<Q8Dot>(matrix, range, activations, out, outStride);
    case Format::q4:
      return multiplyPanels<Q4Dot>(matrix, range, activations, out, outStride);
  }
}

}  // namespace octet::OCTET_ISA
