// The two products of attention, in tiles of M rows × N columns: each vector that is read of the
// cache serves M queries. How rows and columns are grouped into tiles changes only what stays in
// registers.
#pragma once

#include "kv-layout.h"

namespace octet::OCTET_ISA {

struct Positions {
  int64_t from;
  int64_t end;  // one past the last
};

// How far ahead memory is fetched into the second-level cache: 16 KB of Mixtral's keys.
constexpr int64_t fetchedPositions = 64;
OCTET_INLINE void fetch(const uint8_t* from) { __builtin_prefetch(from, 0, 2); }

// From block 0 to the block that a position lies in.
OCTET_INLINE size_t blockOffset(const AttendTask& task, int64_t position) {
  return size_t(task.blockTable[position / task.kv.blockSize]) * task.kv.blockBytes;
}

// Calls visit(position, slot, count) for each run of positions that lie in one block, from `slot`.
template <class Visit>
OCTET_INLINE void forEachRun(const AttendTask& task, Positions positions, const Visit& visit) {
  int64_t position = positions.from;
  while (position < positions.end) {
    const int64_t slot = position % task.kv.blockSize;
    const int64_t left = positions.end - position, room = task.kv.blockSize - slot;
    const int64_t count = left < room ? left : room;
    visit(position, slot, count);
    position += count;
  }
}

// sums[m][n] = fma(factors[m], the step of column n, sums[m][n]), for one step of a pair.
template <class Column, bool isOdd, int M, int N>
OCTET_INLINE void addStep(const uint8_t* const (&columns)[N], int64_t pair, const float* factors,
                          int64_t factorStride, Vec16 (&sums)[M][N]) {
  Vec16 read[N];
  for (int n = 0; n < N; n++) {
    read[n] = isOdd ? Column::odd(columns[n] + pair) : Column::even(columns[n] + pair);
  }
  for (int m = 0; m < M; m++) {
    const Vec16 factor = broadcast(factors[m * factorStride]);
    for (int n = 0; n < N; n++) sums[m][n] = fma(factor, read[n], sums[m][n]);
  }
}

// Sixteen slots' keys, and where the first one's score goes.
struct KeyColumn {
  const uint8_t* keys;
  int64_t at;
};

// scores[m][column] = Σ query × key, dimensions rising, × scale. N more columns are fetched.
// Columns are stored whole, in the order given: the next one overwrites the lanes that one has
// beyond its block.
template <class Column, int M, int N>
static void scoreTile(const AttendTask& task, const float* queries, const KeyColumn* columns,
                      float* scores) {
  const int64_t headDim = task.kv.headDim;
  const uint8_t* keys[N];
  Vec16 sums[M][N];
  for (int n = 0; n < N; n++) {
    keys[n] = columns[n].keys;
    for (int m = 0; m < M; m++) sums[m][n] = broadcast(0.0f);
  }
  for (int64_t dim = 0; dim < headDim; dim += 2) {
    const int64_t pair = dim * kvLanes * Column::bytes;
    for (int n = 0; n < N; n++) fetch(columns[N + n].keys + pair);
    addStep<Column, false>(keys, pair, queries + dim, headDim, sums);
    addStep<Column, true>(keys, pair, queries + dim + 1, headDim, sums);
  }
  const Vec16 scale = broadcast(task.scale);
  for (int m = 0; m < M; m++) {
    float* row = scores + m * attendScoreStride;
    for (int n = 0; n < N; n++) store(row + columns[n].at, mul(sums[m][n], scale));
  }
}

// What valueTile reads fetchedPositions later: values, or the keys of the next chunk.
OCTET_INLINE const uint8_t* readLater(const AttendTask& task, int64_t position, int64_t end) {
  if (position < end) return task.kv.values + blockOffset(task, position);
  if (position < task.readEnd) return task.kv.keys + blockOffset(task, position);
  return task.kv.values;
}

// sums[m][n] += Σ weight × value, positions rising, for columns of the values from firstColumn.
// weights[m] and sums[m] are attendScoreStride and headStride floats apart.
template <class Column, int M, int N>
static void valueTile(const AttendTask& task, int64_t firstColumn, Positions positions,
                      const float* weights, float* values) {
  constexpr int64_t pairBytes = 2 * kvLanes * Column::bytes;
  const int64_t stride = task.kv.headStride;
  const int64_t columnBytes = task.kv.slotStride * kvLanes * Column::bytes;
  Vec16 sums[M][N];
  for (int m = 0; m < M; m++) {
    for (int n = 0; n < N; n++) sums[m][n] = load(values + m * stride + n * kvLanes);
  }
  forEachRun(task, positions, [&](int64_t position, int64_t slot, int64_t count) {
    const uint8_t* columns[N];
    const uint8_t* later[N];
    const uint8_t* block = task.kv.values + blockOffset(task, position);
    const uint8_t* laterBlock = readLater(task, position + fetchedPositions, positions.end);
    for (int n = 0; n < N; n++) {
      columns[n] = block + (firstColumn + n) * columnBytes;
      later[n] = laterBlock + (firstColumn + n) * columnBytes;
    }
    const float* weight = weights + (position - positions.from);
    const float* const last = weight + count;
    int64_t pair = slot / 2 * pairBytes;
    if (slot % 2 == 1) {
      addStep<Column, true>(columns, pair, weight, attendScoreStride, sums);
      weight++;
      pair += pairBytes;
    }
    for (; weight + 2 <= last; weight += 2, pair += pairBytes) {
      for (int n = 0; n < N; n++) fetch(later[n] + pair);
      addStep<Column, false>(columns, pair, weight, attendScoreStride, sums);
      addStep<Column, true>(columns, pair, weight + 1, attendScoreStride, sums);
    }
    if (weight < last) addStep<Column, false>(columns, pair, weight, attendScoreStride, sums);
  });
  for (int m = 0; m < M; m++) {
    for (int n = 0; n < N; n++) store(values + m * stride + n * kvLanes, sums[m][n]);
  }
}

}  // namespace octet::OCTET_ISA
