// q8 and q4 matrices: panels of sixteen weight rows, of which four consecutive columns (q4: twice
// four, as nibbles) are one vector of 64 bytes, so that a lane is a weight row and no sum is ever
// taken across lanes. Layout: packages/core/src/panels.ts.
//
// dot(w, x): total = 0; for each block of 32 columns, ascending: total = fma(the exact integer dot
// product as f32, weightScale × activationScale as f32, total).
#pragma once

#include "quant-block.h"
#include "vec16.h"

namespace octet::OCTET_ISA {

// Some panels times some prepared rows, over all columns.
struct PanelTile {
  const uint8_t* weights;
  int64_t panelBytes;  // from one panel to the next
  const uint8_t* scales;
  int64_t scaleBytes;
  const uint8_t* activations;
  int64_t activationStride;
  int64_t blocks;
  float* out;  // [activation row][outStride]; the tile's first weight row
  int64_t outStride;
  int64_t rows;  // weight rows left from here on: the last panel may be short of sixteen
};

OCTET_INLINE const QuantBlock& quantBlock(const PanelTile& tile, int row, int64_t block) {
  const uint8_t* from = tile.activations + row * tile.activationStride;
  return reinterpret_cast<const QuantBlock*>(from)[block];
}

template <int P, int X>
OCTET_INLINE void storeTile(const PanelTile& tile, const Vec16 (&totals)[X][P]) {
  for (int x = 0; x < X; x++) {
    for (int p = 0; p < P; p++) {
      float* to = tile.out + x * tile.outStride + p * panelRows;
      const int64_t left = tile.rows - p * panelRows;
      if (left >= panelRows) store(to, totals[x][p]);
      else storePart(to, totals[x][p], left);
    }
  }
}

// Weights that are asked for before they are used, in all panels of a tile together: with several
// activation rows a core's window of instructions is too short to have as many reads under way.
constexpr int64_t bytesAhead = 4096;

// P panels by X activation rows: every vector of weights that is loaded serves all X.
template <class Dot, int P, int X>
static void runPanels(const PanelTile& tile) {
  constexpr int groups = int(quantBlockSize) / Dot::columns;
  constexpr int64_t blockBytes = groups * panelVectorBytes;
  constexpr int64_t blocksAhead = bytesAhead / P / blockBytes;
  Vec16 totals[X][P];
  for (int x = 0; x < X; x++) {
    for (int p = 0; p < P; p++) totals[x][p] = broadcast(0.0f);
  }
  const uint8_t* weights = tile.weights;
  const uint8_t* scales = tile.scales;
  const uint8_t* coming = weights + blocksAhead * blockBytes;
  for (int64_t block = 0; block < tile.blocks; block++) {
    // The first blocks of the next tile, which is most often the next to be computed.
    if (block + blocksAhead == tile.blocks) coming += (P - 1) * tile.panelBytes;
    typename Dot::Sums sums[X][P];
    OCTET_UNROLL for (int x = 0; x < X; x++) {
      const int32_t correction = quantBlock(tile, x, block).correction;
      OCTET_UNROLL for (int p = 0; p < P; p++) sums[x][p] = Dot::start(correction);
    }
    OCTET_UNROLL for (int group = 0; group < groups; group++) {
      typename Dot::Weights of[P];
      OCTET_UNROLL for (int p = 0; p < P; p++) {
        const int64_t at = p * tile.panelBytes + group * panelVectorBytes;
        of[p] = Dot::load(weights + at);
        prefetch(coming + at);
      }
      OCTET_UNROLL for (int x = 0; x < X; x++) {
        const int8_t* quants = quantBlock(tile, x, block).quants + group * Dot::columns;
        OCTET_UNROLL for (int p = 0; p < P; p++) Dot::add(sums[x][p], of[p], quants);
      }
    }
    OCTET_UNROLL for (int p = 0; p < P; p++) {
      const Vec16 ofWeights = loadBf16(scales + p * tile.scaleBytes);
      OCTET_UNROLL for (int x = 0; x < X; x++) {
        const QuantBlock& from = quantBlock(tile, x, block);
        const Vec16 scale = mul(ofWeights, broadcast(from.scale));
        totals[x][p] = fma(Dot::finish(sums[x][p], from.correction), scale, totals[x][p]);
      }
    }
    weights += blockBytes;
    coming += blockBytes;
    scales += panelRows * scaleElementBytes;
  }
  storeTile<P, X>(tile, totals);
}

// Tiles of P panels and 1 .. X activation rows.
template <class Dot, int P, int X>
OCTET_INLINE void runPanelsOf(int64_t activationRows, const PanelTile& tile) {
  if (activationRows >= X) return runPanels<Dot, P, X>(tile);
  if constexpr (X > 1) runPanelsOf<Dot, P, X - 1>(activationRows, tile);
}

// P panels by all activation rows, X at a time: the panels stay in the second-level cache.
template <class Dot, int P, int X>
static void multiplySomePanels(const PanelTile& tile, int64_t activationRows) {
  PanelTile at = tile;
  for (int64_t t = 0; t < activationRows; t += X) {
    at.activations = tile.activations + t * tile.activationStride;
    at.out = tile.out + t * tile.outStride;
    runPanelsOf<Dot, P, X>(activationRows - t, at);
  }
}

template <class Dot>
static void multiplyPanels(const Matrix& matrix, RowRange range, const PreparedRows& activations,
                           float* out, int64_t outStride) {
  PanelTile tile = {};
  tile.blocks = matrix.cols / quantBlockSize;
  tile.panelBytes = matrix.cols / Dot::columns * panelVectorBytes;
  tile.scaleBytes = tile.blocks * panelRows * scaleElementBytes;
  tile.weights = matrix.data + range.begin / panelRows * tile.panelBytes;
  tile.scales = matrix.scales + range.begin / panelRows * tile.scaleBytes;
  tile.activations = activations.data;
  tile.activationStride = int64_t(activations.stride);
  tile.out = out;
  tile.outStride = outStride;
  tile.rows = range.end - range.begin;
  const auto advance = [&](int64_t panels) {
    tile.weights += panels * tile.panelBytes;
    tile.scales += panels * tile.scaleBytes;
    tile.out += panels * panelRows;
    tile.rows -= panels * panelRows;
  };
  const int64_t count = activations.count;
  constexpr int P = PanelShape::panels, X = PanelShape::rows;
  constexpr int manyP = PanelShape::panelsOfFewRows, fewX = PanelShape::fewRows;
  if (count <= fewX) {
    for (; tile.rows > (manyP - 1) * panelRows; advance(manyP)) {
      multiplySomePanels<Dot, manyP, fewX>(tile, count);
    }
  }
  for (; tile.rows > (P - 1) * panelRows; advance(P)) multiplySomePanels<Dot, P, X>(tile, count);
  for (; tile.rows > 0; advance(1)) multiplySomePanels<Dot, 1, X>(tile, count);
}

}  // namespace octet::OCTET_ISA
