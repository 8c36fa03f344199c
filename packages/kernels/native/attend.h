// softmax(scale × q · K) V for one token and one KV head, over the paged cache, in f32.
//
// Scores are summed as in dense-rows.h. e = exp(score - largest); lane i of the denominator takes
// positions first + i, first + i + 16, ... and the lanes are summed by reduceAdd; the numerator
// takes positions one by one, rising. So a token's result depends on its own position alone, not on
// the chunk it came in, nor on which blocks hold its past.
#pragma once

#include "dense-rows.h"
#include "exp.h"

namespace octet::OCTET_ISA {

// Calls visit(rows, index, count) for each run of positions that lie in one block: `rows` is the
// first of `count` consecutive cache rows, `index` counts from firstPosition.
template <class Elements, class Visit>
OCTET_INLINE void forEachRun(const AttendTask& task, const uint8_t* base, const Visit& visit) {
  const int64_t rowBytes = task.headStride * Elements::bytes;
  const int64_t end = task.lastPosition + 1;
  int64_t block = task.firstPosition / task.blockSize;
  for (int64_t position = task.firstPosition; position < end; block++) {
    const int64_t slot = position - block * task.blockSize;
    const int64_t left = end - position, room = task.blockSize - slot;
    const int64_t count = left < room ? left : room;
    const uint8_t* rows = base + size_t(task.blockTable[block]) * task.blockBytes;
    visit(rows + slot * rowBytes, position - task.firstPosition, count);
    position += count;
  }
}

template <class Elements>
static void computeScores(const AttendTask& task) {
  const int64_t rowBytes = task.headStride * Elements::bytes;
  const auto score = [&](const uint8_t* keys, int64_t index, int64_t count) {
    for (int64_t i = 0; i < count; i++, keys += rowBytes) {
      for (int64_t g = 0; g < task.groupSize; g++) {
        const float* query = task.query + g * task.headStride;
        Vec16 sum = broadcast(0.0f);
        for (int64_t column = 0; column < task.headStride; column += 16) {
          const Vec16 key = Elements::read(keys + column * Elements::bytes);
          sum = fma(load(query + column), key, sum);
        }
        task.scores[g * task.scoreStride + index + i] = reduceAdd(sum) * task.scale;
      }
    }
  };
  forEachRun<Elements>(task, task.keys, score);
}

// Replaces `count` scores by e^(score - largest), and returns their sum.
static float exponentiate(float* scores, int64_t count) {
  float largest = scores[0];
  for (int64_t i = 1; i < count; i++) largest = scores[i] > largest ? scores[i] : largest;
  const Vec16 shift = broadcast(largest);
  Vec16 sum = broadcast(0.0f);
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const Vec16 e = exp(sub(load(scores + i), shift));
    store(scores + i, e);
    sum = add(sum, e);
  }
  if (i < count) {
    storePart(scores + i, exp(sub(loadPart(scores + i, count - i), shift)), count - i);
    sum = add(sum, loadPart(scores + i, count - i));
  }
  return reduceAdd(sum);
}

// G heads, from `firstHead`: each value row is read once for all of them.
template <class Elements, int G>
static void sumValues(const AttendTask& task, int64_t firstHead, const float* denominators) {
  const int64_t rowBytes = task.headStride * Elements::bytes;
  const float* weights = task.scores + firstHead * task.scoreStride;
  for (int64_t column = 0; column < task.headDim; column += 16) {
    Vec16 sums[G];
    for (int g = 0; g < G; g++) sums[g] = broadcast(0.0f);
    const auto sum = [&](const uint8_t* values, int64_t index, int64_t count) {
      const uint8_t* from = values + column * Elements::bytes;
      for (int64_t i = 0; i < count; i++, from += rowBytes) {
        const Vec16 value = Elements::read(from);
        for (int g = 0; g < G; g++) {
          const float weight = weights[g * task.scoreStride + index + i];
          sums[g] = fma(broadcast(weight), value, sums[g]);
        }
      }
    };
    forEachRun<Elements>(task, task.values, sum);
    for (int g = 0; g < G; g++) {
      float* out = task.out + (firstHead + g) * task.headDim + column;
      const Vec16 mean = div(sums[g], broadcast(denominators[g]));
      if (column + 16 <= task.headDim) store(out, mean);
      else storePart(out, mean, task.headDim - column);
    }
  }
}

template <class Elements>
static void attendOver(const AttendTask& task) {
  computeScores<Elements>(task);
  const int64_t count = task.lastPosition - task.firstPosition + 1;
  constexpr int64_t headsAtOnce = 4;
  for (int64_t g = 0; g < task.groupSize; g += headsAtOnce) {
    float denominators[headsAtOnce];
    const int64_t left = task.groupSize - g;
    const int64_t heads = left < headsAtOnce ? left : headsAtOnce;
    for (int64_t k = 0; k < heads; k++) {
      denominators[k] = exponentiate(task.scores + (g + k) * task.scoreStride, count);
    }
    if (heads == headsAtOnce) {
      sumValues<Elements, headsAtOnce>(task, g, denominators);
      continue;
    }
    for (int64_t k = 0; k < heads; k++) sumValues<Elements, 1>(task, g + k, denominators + k);
  }
}

static void attend(const AttendTask& task) {
  if (task.kvFormat == Format::f32) attendOver<F32Elements>(task);
  else attendOver<Bf16Elements>(task);
}

}  // namespace octet::OCTET_ISA
