// What one build of the kernels offers. The kernels are compiled once for each instruction set;
// the rest of the addon is compiled once, for the baseline, and reaches them through this table.
//
// Every build gives the same bits: each output element is computed by the same IEEE operations in
// the same order, whichever rows are computed beside it. Callers check shapes; kernels trust them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "attend-task.h"

namespace octet {

// How a matrix is stored, and with it the form its activations take: with f16 that of f32.
enum class Format : int32_t { f32 = 0, bf16 = 1, q8 = 2, q4 = 3, f16 = 4 };

inline bool isQuantised(Format format) { return format == Format::q8 || format == Format::q4; }

// Weights, or activations, that share a scale.
constexpr int64_t quantBlockSize = 32;
// Weight rows that lie side by side in a quantised matrix.
constexpr int64_t panelRows = 16;

// A weight matrix [rows, cols], at any alignment. f32, f16 and bf16: row-major, `scales` null. q8 and
// q4: panels of sixteen rows, the last one padded; `data` holds their quants, unsigned, as
// [panel][column / 4][row][4] bytes, or for q4 [panel][column / 8][row][4] bytes of two nibbles,
// the lower four columns in the lower ones; `scales` bf16 [panel][column / 32][row].
struct Matrix {
  Format format;
  int64_t rows;
  int64_t cols;
  const uint8_t* data;
  const uint8_t* scales;
};

// Activation rows in the form that `multiply` reads; opaque outside the kernels.
struct PreparedRows {
  uint8_t* data;
  int64_t count;
  size_t stride;  // preparedBytes(format, width), 64-byte aligned
};

// Rows [begin, end) of a matrix, at most `rowsPerTask` of them: what one task computes. `begin` is
// a multiple of rowsPerTask.
struct RowRange {
  int64_t begin;
  int64_t end;
};

constexpr int64_t rowsPerTask = 64;
static_assert(rowsPerTask % panelRows == 0, "a panel is never split between tasks");
// Columns at which a prepared row may be written in parts.
constexpr int64_t prepareColumns = 64;
// As in packages/core's limits: numExpertsMax and numExpertsPerTokenMax.
constexpr int64_t maxExperts = 64;
constexpr int64_t maxExpertsPerToken = 8;
// Floats of scratch that `multiply` needs for itself.
constexpr int64_t multiplyActivationRows = 24;
constexpr size_t multiplyScratchFloats = size_t(multiplyActivationRows) * rowsPerTask * 16;

struct KernelTable {
  const char* name;

  size_t (*preparedBytes)(Format format, int64_t width);

  // Makes columns [begin, end) of a prepared row from `x`, which points at column `begin`.
  // begin is a multiple of prepareColumns, and so is end unless it is the width.
  void (*prepare)(Format format, const float* x, int64_t width, RowRange columns, uint8_t* out);

  // Makes a whole prepared row from a row in its travelling form.
  void (*prepareEncoded)(Format format, const uint8_t* encoded, int64_t width, uint8_t* out);

  // Writes a row in its travelling form.
  void (*encode)(Format format, const float* x, int64_t width, uint8_t* out);

  // Writes f32 or bf16; false if one of the written values is not finite.
  bool (*encodeFinite)(Format format, const float* x, int64_t count, uint8_t* out);

  // out[t * outStride + n - range.begin] = matrix[n] · activations[t].
  void (*multiply)(const Matrix& matrix, RowRange range, const PreparedRows& activations,
                   float* out, int64_t outStride, float* scratch);

  // a[i] = silu(a[i]) * b[i].
  void (*siluMultiply)(float* a, const float* b, int64_t count);

  // out = x / sqrt(mean(x²) + eps) * weight, in f32.
  void (*rmsNorm)(const float* x, const uint8_t* weight, float eps, int64_t width, float* out);

  // acc = Σ weights[k] × rows[k], from zero, in the order given; rows are f32 or bf16.
  // The index of the first row that is not finite, or `count` if all are.
  int64_t (*combine)(Format format, const uint8_t* const* rows, const float* weights,
                     int64_t count, int64_t width, float* acc);

  AttendKernels attend;

  // In place: softmax over at most 16 values, falling, so that values[0] is the largest.
  void (*softmaxFalling)(float* values, int64_t count);
};

const KernelTable& kernelsPortable();
#if defined(__x86_64__)
const KernelTable& kernelsAvx2();
const KernelTable& kernelsAvx512();
#elif defined(__aarch64__)
const KernelTable& kernelsNeon();
#endif

}  // namespace octet
