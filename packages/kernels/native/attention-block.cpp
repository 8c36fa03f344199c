// The attention half of a layer: norm, projections, RoPE, KV write, attention, output projection.
#include <string.h>

#include <algorithm>

#include "attention-engine.h"
#include "row-format.h"

namespace octet {

void AttentionEngine::runAttention(ThreadPool& pool, AttentionStep& step, int64_t layer) {
  const LayerWeights& weights = weights_.layers[size_t(layer)];
  const int64_t tokens = step.numTokens();
  projectQkv(pool, step, weights);
  rotateAndStore(pool, step, layer);
  attendAll(pool, step, layer);

  const int64_t width = queryWidth();
  const PreparedRows rows = reservePrepared(tokens, width);
  pool.forEach(tokens, [&](int64_t token, int) {
    kernels_.prepare(shape_.format, attended_.floats() + token * width, width, {0, width},
                     rows.data + size_t(token) * rows.stride);
  });
  projected_.reserve(size_t(tokens * shape_.hiddenSize) * sizeof(float));
  multiplyAll(pool, {{&weights.o, projected_.floats(), shape_.hiddenSize}}, rows);
}

// projected_[t] = the token's query, key and value heads, side by side.
void AttentionEngine::projectQkv(ThreadPool& pool, AttentionStep& step,
                                 const LayerWeights& weights) {
  const int64_t width = shape_.hiddenSize;
  const PreparedRows rows = reservePrepared(step.numTokens(), width);
  pool.forEach(rows.count, [&](int64_t token, int thread) {
    float* normed = scratch_[size_t(thread)].normed.floats();
    kernels_.rmsNorm(hiddenRow(step, token), weights.inputNorm, shape_.rmsNormEps, width, normed);
    kernels_.prepare(shape_.format, normed, width, {0, width},
                     rows.data + size_t(token) * rows.stride);
  });
  const int64_t stride = queryWidth() + 2 * keyWidth();
  projected_.reserve(size_t(rows.count * stride) * sizeof(float));
  float* q = projected_.floats();
  float* k = q + queryWidth();
  float* v = k + keyWidth();
  multiplyAll(pool, {{&weights.q, q, stride}, {&weights.k, k, stride}, {&weights.v, v, stride}},
              rows);
}

// Turns queries and keys by their positions; keys and values go to the cache, queries to queries_.
void AttentionEngine::rotateAndStore(ThreadPool& pool, AttentionStep& step, int64_t layer) {
  const KvShape& kv = cache_.shape();
  const int64_t headDim = kv.headDim, headStride = cache_.headStride();
  const int64_t heads = shape_.numAttentionHeads;
  queries_.reserve(size_t(step.numTokens() * heads * headStride) * sizeof(float));
  pool.forEach(step.numTokens(), [&](int64_t token, int) {
    const float* table = step.ropeTable.floats() + token * headDim;
    float* from = projected_.floats() + token * (queryWidth() + 2 * keyWidth());
    float* queries = queries_.floats() + token * heads * headStride;
    for (int64_t head = 0; head < heads; head++) {
      float* query = from + head * headDim;
      float* to = queries + head * headStride;
      Rope::rotate(table, headDim, query);
      memcpy(to, query, size_t(headDim) * sizeof(float));
      memset(to + headDim, 0, size_t(headStride - headDim) * sizeof(float));
    }
    const int64_t position = step.positions[size_t(token)];
    const auto& blocks = step.blockTables[size_t(step.sequences[size_t(token)])];
    const int64_t block = blocks[size_t(position / kv.blockSize)];
    const size_t row = cache_.rowOffset(block, position % kv.blockSize);
    for (int64_t head = 0; head < kv.numKeyValueHeads; head++) {
      float* key = from + queryWidth() + head * headDim;
      Rope::rotate(table, headDim, key);
      kernels_.encodeFinite(kv.format, key, headDim, cache_.keys(layer, head) + row);
      kernels_.encodeFinite(kv.format, key + keyWidth(), headDim,
                            cache_.values(layer, head) + row);
    }
  });
}

// attended_[t] = every head's weighted mean of the values the token may see.
void AttentionEngine::attendAll(ThreadPool& pool, AttentionStep& step, int64_t layer) {
  const KvShape& kv = cache_.shape();
  const int64_t group = shape_.numAttentionHeads / kv.numKeyValueHeads;
  const int64_t furthest = *std::max_element(step.positions.begin(), step.positions.end());
  const int64_t seen = std::min<int64_t>(furthest + 1, shape_.slidingWindow);
  const int64_t scoreStride = (seen + 15) / 16 * 16;
  for (Scratch& scratch : scratch_) {
    scratch.scores.reserve(size_t(group * scoreStride) * sizeof(float));
  }
  attended_.reserve(size_t(step.numTokens() * queryWidth()) * sizeof(float));
  const float scale = float(1.0 / __builtin_sqrt(double(kv.headDim)));
  pool.forEach(step.numTokens() * kv.numKeyValueHeads, [&](int64_t index, int thread) {
    const int64_t token = index / kv.numKeyValueHeads, head = index % kv.numKeyValueHeads;
    const int64_t firstHead = head * group;
    AttendTask task = {};
    task.query = queries_.floats() +
                 (token * shape_.numAttentionHeads + firstHead) * cache_.headStride();
    task.groupSize = group;
    task.headDim = kv.headDim;
    task.headStride = cache_.headStride();
    task.scale = scale;
    task.kvFormat = kv.format;
    task.keys = cache_.keys(layer, head);
    task.values = cache_.values(layer, head);
    task.blockBytes = cache_.blockBytes();
    task.blockSize = kv.blockSize;
    task.blockTable = step.blockTables[size_t(step.sequences[size_t(token)])].data();
    task.lastPosition = step.positions[size_t(token)];
    task.firstPosition = std::max<int64_t>(0, task.lastPosition - shape_.slidingWindow + 1);
    task.scores = scratch_[size_t(thread)].scores.floats();
    task.scoreStride = scoreStride;
    task.out = attended_.floats() + token * queryWidth() + firstHead * kv.headDim;
    kernels_.attend(task);
  });
}

}  // namespace octet
