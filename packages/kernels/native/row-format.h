// How activation rows lie when they travel.
#pragma once

#include "kernel-table.h"

namespace octet {

// f32 and f16 weights: 4 bytes an element; bf16: 2; for q8 and q4 weights: 1, then an f32 scale for each 32.
inline int64_t rowBytes(Format format, int64_t width) {
  switch (format) {
    case Format::f32:
    case Format::f16:
      return width * 4;
    case Format::bf16:
      return width * 2;
    case Format::q8:
    case Format::q4:
      return width + width / quantBlockSize * 4;
  }
  return 0;
}

// What an expert answers in, and the KV cache holds.
inline Format replyFormat(Format weights) {
  return weights == Format::f32 || weights == Format::f16 ? Format::f32 : Format::bf16;
}

// How many tasks cover `rows` rows of a matrix, and which rows a task covers.
inline int64_t tasksFor(int64_t rows) { return (rows + rowsPerTask - 1) / rowsPerTask; }
inline RowRange taskRows(int64_t task, int64_t rows) {
  const int64_t begin = task * rowsPerTask;
  return {begin, begin + rowsPerTask < rows ? begin + rowsPerTask : rows};
}

}  // namespace octet
