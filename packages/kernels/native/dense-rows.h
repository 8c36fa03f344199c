// f32, f16 and bf16 matrices: how a row of weights, and a prepared row of activations, is read.
//
// dot(w, x): lane i of one accumulator takes elements i, i + 16, i + 32, ... by fused multiply-add,
// in that order; then the lanes are summed by reduceAdd. A tail is padded with zeros.
#pragma once

#include "kernel-table.h"
#include "vec16.h"

namespace octet::OCTET_ISA {

struct F32Elements {
  static constexpr int64_t bytes = 4;
  OCTET_INLINE Vec16 read(const uint8_t* from) { return load(from); }
  OCTET_INLINE Vec16 readPart(const uint8_t* from, int64_t count) { return loadPart(from, count); }
  OCTET_INLINE void write(uint8_t* to, Vec16 a) { store(reinterpret_cast<float*>(to), a); }
  OCTET_INLINE void writePart(uint8_t* to, Vec16 a, int64_t count) {
    storePart(reinterpret_cast<float*>(to), a, count);
  }
};

// Of weights alone.
struct F16Elements {
  static constexpr int64_t bytes = 2;
  OCTET_INLINE Vec16 read(const uint8_t* from) { return loadF16(from); }
  OCTET_INLINE Vec16 readPart(const uint8_t* from, int64_t count) {
    uint16_t lanes[16] = {};
    memcpy(lanes, from, size_t(count) * sizeof(uint16_t));
    return loadF16(lanes);
  }
};

struct Bf16Elements {
  static constexpr int64_t bytes = 2;
  OCTET_INLINE Vec16 read(const uint8_t* from) { return loadBf16(from); }
  OCTET_INLINE Vec16 readPart(const uint8_t* from, int64_t count) {
    return loadBf16Part(from, count);
  }
  OCTET_INLINE void write(uint8_t* to, Vec16 a) { storeBf16(to, a); }
  OCTET_INLINE void writePart(uint8_t* to, Vec16 a, int64_t count) {
    storeBf16Part(to, a, count);
  }
};

// Some rows of weights times some prepared rows of activations, over columns [begin, end).
struct Tile {
  const uint8_t* weights;
  int64_t weightStride;  // bytes from one row to the next
  const uint8_t* activations;
  int64_t activationStride;
  int64_t width;
  int64_t begin;  // a multiple of 16
  int64_t end;    // the same, or the width
};

// Weights of Elements; activations as f32, zero-padded to a multiple of 16.
template <class Elements>
struct DenseRows {
  template <int W, int X>
  OCTET_INLINE void accumulate(const Tile& tile, Vec16 (&sums)[X][W]) {
    const float* activations[X];
    for (int x = 0; x < X; x++) {
      activations[x] = reinterpret_cast<const float*>(tile.activations + x * tile.activationStride);
    }
    int64_t column = tile.begin;
    for (; column + 16 <= tile.end; column += 16) {
      Vec16 weights[W];
      for (int w = 0; w < W; w++) {
        const uint8_t* row = tile.weights + w * tile.weightStride;
        weights[w] = Elements::read(row + column * Elements::bytes);
      }
      step<W, X>(weights, activations, column, sums);
    }
    if (column == tile.end) return;
    Vec16 weights[W];
    for (int w = 0; w < W; w++) {
      const uint8_t* row = tile.weights + w * tile.weightStride;
      weights[w] = Elements::readPart(row + column * Elements::bytes, tile.end - column);
    }
    step<W, X>(weights, activations, column, sums);
  }

 private:
  template <int W, int X>
  OCTET_INLINE void step(const Vec16 (&weights)[W], const float* const (&activations)[X],
                         int64_t column, Vec16 (&sums)[X][W]) {
    for (int x = 0; x < X; x++) {
      const Vec16 activation = load(activations[x] + column);
      for (int w = 0; w < W; w++) sums[x][w] = fma(weights[w], activation, sums[x][w]);
    }
  }
};

}  // namespace octet::OCTET_ISA
