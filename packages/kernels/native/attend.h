// softmax(scale × q · K) V over the paged cache, in f32, chunk by chunk.
//
// A row's result is defined by its own position. In each chunk of which it sees some positions:
//   score    Σ q × k by fused multiply-add from zero, dimensions rising; then × scale
//   largest  of its scores
//   e        exp(score - largest)
//   weight   Σ e: lane i of sixteen adds positions i, i + 16, ... of the chunk; then reduceAdd
//   values   Σ e × v by fused multiply-add from zero, positions rising
// Chunks are merged in rising order: of largest a and b, the sums of one side are multiplied by
// exp(a - max(a, b)) and those of the other by exp(b - max(a, b)), and added. In the end the values
// are divided by the weight. So neither the tokens beside it, nor the chunk of the prompt it came
// in, nor the blocks that hold its past, nor threads can show.
#pragma once

#include "attend-tile.h"
#include "exp.h"

namespace octet::OCTET_ISA {

OCTET_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
OCTET_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// What a token sees of a chunk; nothing if end <= from.
OCTET_INLINE Positions seenBy(const AttendTask& task, int64_t chunk, int64_t token) {
  const int64_t start = chunk * attendChunk, position = task.position + token;
  return {larger(start, position - task.window + 1), smaller(start + attendChunk, position + 1)};
}

// Columns in which some token sees a position, rising, and the first of the values, to be fetched.
template <class Column, int N>
static int64_t findKeyColumns(const AttendTask& task, int64_t chunk, KeyColumn* columns) {
  const int64_t columnBytes = task.kv.headDim * kvLanes * Column::bytes;
  const Positions seen = {seenBy(task, chunk, 0).from,
                          seenBy(task, chunk, task.numTokens - 1).end};
  int64_t count = 0;
  forEachRun(task, seen, [&](int64_t position, int64_t slot, int64_t run) {
    const uint8_t* block = task.kv.keys + blockOffset(task, position);
    const int64_t slotZero = position - slot - chunk * attendChunk;
    for (int64_t c = slot / kvLanes; c * kvLanes < slot + run; c++) {
      columns[count++] = {block + c * columnBytes, slotZero + c * kvLanes};
    }
  });
  for (int64_t n = 0; n < N; n++) {
    const int64_t position = smaller(seen.from + n * kvLanes, seen.end - 1);
    columns[count + n].keys = task.kv.values + blockOffset(task, position);
  }
  return count;
}

template <class Column, int M, int N>
OCTET_INLINE void scoreRows(int64_t rows, const AttendTask& task, const float* queries,
                            const KeyColumn* columns, float* scores) {
  if (rows >= M) return scoreTile<Column, M, N>(task, queries, columns, scores);
  if constexpr (M > 1) scoreRows<Column, M - 1, N>(rows, task, queries, columns, scores);
}

// scores[row][kvLanes + i]: of the chunk's position i.
template <class Column>
static void computeScores(const AttendTask& task, int64_t chunk, float* scores) {
  constexpr int M = AttendTile::rows, N = AttendTile::columns;
  const int64_t rows = task.numTokens * task.groupSize;
  KeyColumn columns[attendChunk + N];
  const int64_t count = findKeyColumns<Column, N>(task, chunk, columns);
  for (int64_t column = 0; column < count;) {
    const bool whole = column + N <= count;
    for (int64_t row = 0; row < rows; row += M) {
      const float* queries = task.queries + row * task.kv.headDim;
      float* to = scores + row * attendScoreStride + kvLanes;
      if (whole) scoreRows<Column, M, N>(rows - row, task, queries, columns + column, to);
      else scoreRows<Column, M, 1>(rows - row, task, queries, columns + column, to);
    }
    column += whole ? N : 1;
  }
}

// Replaces scores from .. end - 1 of a chunk by e^(score - largest), and returns their sum.
static float exponentiate(float* scores, int64_t from, int64_t end, float* largest) {
  const int64_t begin = from / 16 * 16, stop = (end + 15) / 16 * 16;
  // Lanes on both sides take part in the arithmetic, and have no part in the result.
  for (int64_t i = begin; i < from; i++) scores[i] = scores[from];
  for (int64_t i = end; i < stop; i++) scores[i] = scores[from];
  Vec16 most = load(scores + begin);
  for (int64_t i = begin + 16; i < stop; i += 16) most = max(most, load(scores + i));
  *largest = reduceMax(most);
  const Vec16 shift = broadcast(*largest);
  for (int64_t i = begin; i < stop; i += 16) store(scores + i, exp(sub(load(scores + i), shift)));
  for (int64_t i = begin; i < from; i++) scores[i] = 0.0f;
  for (int64_t i = end; i < stop; i++) scores[i] = 0.0f;
  Vec16 sum = load(scores + begin);
  for (int64_t i = begin + 16; i < stop; i += 16) sum = add(sum, load(scores + i));
  return reduceAdd(sum);
}

template <class Column, int M, int N>
OCTET_INLINE void valueRows(int64_t rows, const AttendTask& task, int64_t column,
                            Positions positions, const float* weights, float* values) {
  if (rows >= M) return valueTile<Column, M, N>(task, column, positions, weights, values);
  if constexpr (M > 1) {
    valueRows<Column, M - 1, N>(rows, task, column, positions, weights, values);
  }
}

// values[row] += Σ e × v over positions of a chunk, for all rows of `tokens` tokens.
template <class Column>
static void addValues(const AttendTask& task, int64_t chunk, Positions positions,
                      int64_t firstToken, int64_t tokens, const float* scores, float* values) {
  constexpr int M = AttendTile::rows, N = AttendTile::columns;
  if (positions.end <= positions.from) return;
  const int64_t columns = task.kv.headStride / kvLanes;
  const int64_t end = (firstToken + tokens) * task.groupSize;
  scores += kvLanes + positions.from - chunk * attendChunk;
  for (int64_t column = 0; column < columns;) {
    const bool whole = column + N <= columns;
    for (int64_t row = firstToken * task.groupSize; row < end; row += M) {
      const float* weights = scores + row * attendScoreStride;
      float* to = values + row * task.kv.headStride + column * kvLanes;
      if (whole) valueRows<Column, M, N>(end - row, task, column, positions, weights, to);
      else valueRows<Column, M, 1>(end - row, task, column, positions, weights, to);
    }
    column += whole ? N : 1;
  }
}

// What every token sees is read once for all of them; what lies before and after, for each.
template <class Column>
static void sumValues(const AttendTask& task, int64_t chunk, const float* scores, float* values) {
  const int64_t tokens = task.numTokens;
  memset(values, 0, size_t(tokens * task.groupSize * task.kv.headStride) * sizeof(float));
  const Positions shared = {seenBy(task, chunk, tokens - 1).from, seenBy(task, chunk, 0).end};
  const bool isShared = shared.from < shared.end;
  for (int64_t token = 0; token < tokens; token++) {
    const Positions seen = seenBy(task, chunk, token);
    const Positions before = {seen.from, isShared ? shared.from : seen.end};
    addValues<Column>(task, chunk, before, token, 1, scores, values);
  }
  if (!isShared) return;
  addValues<Column>(task, chunk, shared, 0, tokens, scores, values);
  for (int64_t token = 0; token < tokens; token++) {
    const Positions after = {shared.end, seenBy(task, chunk, token).end};
    addValues<Column>(task, chunk, after, token, 1, scores, values);
  }
}

template <class Column>
static void attendChunkIn(const AttendTask& task, int64_t chunk, float* scores,
                          const AttendSums& sums) {
  const int64_t start = chunk * attendChunk;
  computeScores<Column>(task, chunk, scores);
  for (int64_t row = 0; row < task.numTokens * task.groupSize; row++) {
    const Positions seen = seenBy(task, chunk, row / task.groupSize);
    sums.weight[row] = 0.0f;
    if (seen.end <= seen.from) continue;
    float* of = scores + row * attendScoreStride + kvLanes;
    sums.weight[row] = exponentiate(of, seen.from - start, seen.end - start, &sums.largest[row]);
  }
  sumValues<Column>(task, chunk, scores, sums.values);
}

static void attendOneChunk(const AttendTask& task, int64_t chunk, float* scores,
                           const AttendSums& sums) {
  if (task.kv.format == Format::f32) attendChunkIn<F32Column>(task, chunk, scores, sums);
  else attendChunkIn<Bf16Column>(task, chunk, scores, sums);
}

OCTET_INLINE float exp(float x) {
  float lanes[16];
  store(lanes, exp(broadcast(x)));
  return lanes[0];
}

static void mergeAttended(const AttendTask& task, const AttendSums& next, const AttendSums& into) {
  const int64_t stride = task.kv.headStride;
  for (int64_t row = 0; row < task.numTokens * task.groupSize; row++) {
    if (next.weight[row] == 0.0f) continue;
    const float* from = next.values + row * stride;
    float* to = into.values + row * stride;
    if (into.weight[row] == 0.0f) {
      into.largest[row] = next.largest[row];
      into.weight[row] = next.weight[row];
      memcpy(to, from, size_t(stride) * sizeof(float));
      continue;
    }
    const float a = into.largest[row], b = next.largest[row], most = a > b ? a : b;
    const float ours = exp(a - most), theirs = exp(b - most);
    into.largest[row] = most;
    into.weight[row] = into.weight[row] * ours + next.weight[row] * theirs;
    for (int64_t i = 0; i < stride; i += 16) {
      const Vec16 added = mul(load(from + i), broadcast(theirs));
      store(to + i, fma(load(to + i), broadcast(ours), added));
    }
  }
}

static void finishAttended(const AttendTask& task, const AttendSums& sums, float* out,
                           int64_t outStride) {
  const int64_t headDim = task.kv.headDim;
  for (int64_t row = 0; row < task.numTokens * task.groupSize; row++) {
    const Vec16 weight = broadcast(sums.weight[row]);
    const float* values = sums.values + row * task.kv.headStride;
    float* to = out + row / task.groupSize * outStride + row % task.groupSize * headDim;
    for (int64_t i = 0; i < headDim; i += 16) {
      const Vec16 mean = div(load(values + i), weight);
      if (i + 16 <= headDim) store(to + i, mean);
      else storePart(to + i, mean, headDim - i);
    }
  }
}

}  // namespace octet::OCTET_ISA
