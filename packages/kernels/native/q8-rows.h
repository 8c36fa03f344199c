// q8 matrices: int8 weights times int8 activations, one scale for each 32 of either.
//
// dot(w, x): lane i of one accumulator takes, for each group of 64 columns, the exact integer dot
// product of columns 4i .. 4i + 3, scaled by weightScale × activationScale of its block, by fused
// multiply-add, in the order of the groups; then the lanes are summed by reduceAdd.
#pragma once

#include "dense-rows.h"

namespace octet::OCTET_ISA {

constexpr int64_t groupColumns = 64;
constexpr int64_t scalesPerLoad = 16;
constexpr int64_t columnsPerLoad = scalesPerLoad * q8Block;

OCTET_INLINE int64_t groupsIn(int64_t width) { return (width + groupColumns - 1) / groupColumns; }

// A prepared row: groups, then f32 scales, zero-padded to a multiple of 16.
OCTET_INLINE float* preparedScales(uint8_t* row, int64_t width) {
  return reinterpret_cast<float*>(row + groupsIn(width) * int64_t(sizeof(Q8Group)));
}

struct Q8Rows {
  using Shape = Q8Tile;

  static int64_t weightBytes(int64_t width) { return width; }
  static int64_t scaleBytes(int64_t width) { return width / q8Block * 2; }

  template <int W, int X>
  OCTET_INLINE void accumulate(const Tile& tile, Vec16 (&sums)[X][W]) {
    for (int64_t column = tile.begin; column < tile.end; column += columnsPerLoad) {
      float scales[X][W][scalesPerLoad];
      loadScales<W, X>(tile, column, scales);
      const int64_t left = tile.end - column;
      const int64_t groups = groupsIn(left < columnsPerLoad ? left : columnsPerLoad);
      for (int64_t group = 0; group < groups; group++) {
        const int64_t at = column + group * groupColumns;
        for (int w = 0; w < W; w++) {
          const Q8Weights weights = readGroup(tile, w, at);
          for (int x = 0; x < X; x++) {
            const uint8_t* row = tile.activations + x * tile.activationStride;
            const Q8Group* quants = reinterpret_cast<const Q8Group*>(row) + at / groupColumns;
            const Vec16 scale = loadPair(&scales[x][w][2 * group]);
            sums[x][w] = fma(dotQ8(weights, quants), scale, sums[x][w]);
          }
        }
      }
    }
  }

 private:
  // Sixteen blocks' scales of every pair of rows; zero past the last block.
  template <int W, int X>
  OCTET_INLINE void loadScales(const Tile& tile, int64_t column,
                               float (&scales)[X][W][scalesPerLoad]) {
    const int64_t block = column / q8Block;
    const int64_t left = tile.width / q8Block - block;
    Vec16 ofWeights[W];
    for (int w = 0; w < W; w++) {
      const uint8_t* from = tile.scales + w * tile.scaleStride + block * 2;
      ofWeights[w] = left >= scalesPerLoad ? loadBf16(from) : loadBf16Part(from, left);
    }
    const int64_t quantBytes = groupsIn(tile.width) * int64_t(sizeof(Q8Group));
    for (int x = 0; x < X; x++) {
      const uint8_t* row = tile.activations + x * tile.activationStride;
      const Vec16 ofActivation = load(row + quantBytes + block * int64_t(sizeof(float)));
      for (int w = 0; w < W; w++) store(scales[x][w], mul(ofWeights[w], ofActivation));
    }
  }

  OCTET_INLINE Q8Weights readGroup(const Tile& tile, int w, int64_t column) {
    const uint8_t* from = tile.weights + w * tile.weightStride + column;
    if (column + groupColumns <= tile.width) return loadQ8(from);
    uint8_t padded[groupColumns] = {};
    memcpy(padded, from, size_t(q8Block));
    return loadQ8(padded);
  }
};

}  // namespace octet::OCTET_ISA
