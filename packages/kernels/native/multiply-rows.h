// f32, f16 and bf16 matrices: row-major, as published, in tiles of some weight rows by some activation
// rows. The order of operations is that of dense-rows.h.
#pragma once

#include "dense-rows.h"

namespace octet::OCTET_ISA {

// Columns of activations worked on at a time when there are several rows, so that
// multiplyActivationRows of them stay in the second-level cache.
constexpr int64_t columnsPerPass = 2048;

struct Pass {
  Tile tile;
  // Unfinished sums, [activation row][weight row][16], between passes over the columns.
  float* partial;
  float* out;  // of this tile's first element
  int64_t outStride;
};

template <class Elements, int W, int X>
static void runTile(const Pass& pass) {
  Vec16 sums[X][W];
  for (int x = 0; x < X; x++) {
    for (int w = 0; w < W; w++) {
      const float* from = pass.partial + (x * rowsPerTask + w) * 16;
      sums[x][w] = pass.tile.begin == 0 ? broadcast(0.0f) : load(from);
    }
  }
  DenseRows<Elements>::template accumulate<W, X>(pass.tile, sums);
  const bool last = pass.tile.end == pass.tile.width;
  for (int x = 0; x < X; x++) {
    for (int w = 0; w < W; w++) {
      if (last) pass.out[x * pass.outStride + w] = reduceAdd(sums[x][w]);
      else store(pass.partial + (x * rowsPerTask + w) * 16, sums[x][w]);
    }
  }
}

// Tiles of W weight rows and 1 .. X activation rows.
template <class Elements, int W, int X>
OCTET_INLINE void runTileOf(int64_t activationRows, const Pass& pass) {
  if (activationRows >= X) return runTile<Elements, W, X>(pass);
  if constexpr (X > 1) runTileOf<Elements, W, X - 1>(activationRows, pass);
}

// One activation row: each weight row is read once, from start to end.
template <class Elements>
static void multiplyVector(const Pass& pass, int64_t weightRows) {
  constexpr int W = DenseTile::vectorRows;
  Pass at = pass;
  int64_t n = 0;
  const auto advance = [&](int64_t rows) {
    n += rows;
    at.tile.weights += rows * at.tile.weightStride;
    at.out += rows;
  };
  for (; n + W <= weightRows; advance(W)) runTile<Elements, W, 1>(at);
  for (; n < weightRows; advance(1)) runTile<Elements, 1, 1>(at);
}

// Several activation rows over columns of one pass.
template <class Elements>
static void multiplyPass(const Pass& pass, int64_t weightRows, int64_t activationRows) {
  constexpr int W = DenseTile::weightRows, X = DenseTile::activationRows;
  for (int64_t n = 0; n < weightRows;) {
    const int64_t rows = n + W <= weightRows ? W : 1;
    for (int64_t t = 0; t < activationRows; t += X) {
      Pass at = pass;
      at.tile.weights += n * at.tile.weightStride;
      at.tile.activations += t * at.tile.activationStride;
      at.partial += (t * rowsPerTask + n) * 16;
      at.out += t * at.outStride + n;
      if (rows == W) runTileOf<Elements, W, X>(activationRows - t, at);
      else runTileOf<Elements, 1, X>(activationRows - t, at);
    }
    n += rows;
  }
}

template <class Elements>
static void multiplyRows(const Matrix& matrix, RowRange range, const PreparedRows& activations,
                         float* out, int64_t outStride, float* scratch) {
  const int64_t width = matrix.cols, weightRows = range.end - range.begin;
  const int64_t weightStride = width * Elements::bytes;
  Pass pass = {};
  pass.tile.weights = matrix.data + range.begin * weightStride;
  pass.tile.weightStride = weightStride;
  pass.tile.activationStride = int64_t(activations.stride);
  pass.tile.width = width;
  pass.partial = scratch;
  pass.outStride = outStride;
  for (int64_t t = 0; t < activations.count; t += multiplyActivationRows) {
    const int64_t left = activations.count - t;
    const int64_t rows = left < multiplyActivationRows ? left : multiplyActivationRows;
    pass.tile.activations = activations.data + t * pass.tile.activationStride;
    pass.out = out + t * outStride;
    const int64_t columns = rows > DenseTile::activationRows ? columnsPerPass : width;
    for (int64_t column = 0; column < width; column += columns) {
      pass.tile.begin = column;
      pass.tile.end = column + columns < width ? column + columns : width;
      if (rows == 1) multiplyVector<Elements>(pass, weightRows);
      else multiplyPass<Elements>(pass, weightRows, rows);
    }
  }
}

}  // namespace octet::OCTET_ISA
