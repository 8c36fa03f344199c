// The attention half of a layer: norm, projections, RoPE, KV write, attention, output projection.
#include <algorithm>

#include "attention-engine.h"
#include "row-format.h"

namespace octet {

void AttentionEngine::runAttention(ThreadPool& pool, AttentionStep& step, int64_t layer) {
  const LayerWeights& weights = weights_.layers[size_t(layer)];
  const int64_t tokens = step.numTokens();
  projectQkv(pool, step, weights);
  rotateAndStore(pool, step, layer);
  const int64_t width = queryWidth();
  activations_.reserve(size_t(tokens * width) * sizeof(float));
  attention_.run(pool, step, layer, queries_.floats(), activations_.floats());

  const PreparedRows rows = reservePrepared(tokens, width);
  pool.forEach(tokens, [&](int64_t token, int) {
    kernels_.prepare(shape_.format, activations_.floats() + token * width, width, {0, width},
                     rows.data + size_t(token) * rows.stride);
  });
  activations_.reserve(size_t(tokens * shape_.hiddenSize) * sizeof(float));
  multiplyAll(pool, {{&weights.o, activations_.floats(), shape_.hiddenSize}}, rows);
}

// activations_[t] = the token's query, key and value heads, side by side.
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
  activations_.reserve(size_t(rows.count * stride) * sizeof(float));
  float* q = activations_.floats();
  float* k = q + queryWidth();
  float* v = k + keyWidth();
  multiplyAll(pool, {{&weights.q, q, stride}, {&weights.k, k, stride}, {&weights.v, v, stride}},
              rows);
}

// Turns queries and keys by their positions; keys and values go to the cache, queries to queries_.
void AttentionEngine::rotateAndStore(ThreadPool& pool, AttentionStep& step, int64_t layer) {
  const KvShape& kv = cache_.shape();
  queries_.reserve(size_t(step.numTokens() * queryWidth()) * sizeof(float));
  // Tokens whose keys lie in the same cache lines are one thread's.
  const std::vector<TokenRun> runs = tokenRuns(step, std::min(kv.blockSize, kvLanes));
  pool.forEach(int64_t(runs.size()), [&](int64_t index, int) {
    const TokenRun& run = runs[size_t(index)];
    for (int64_t head = 0; head < kv.numKeyValueHeads; head++) {
      const KvHead cached = cache_.head(layer, head);
      for (int64_t token = run.begin; token < run.begin + run.count; token++) {
        rotateAndStoreHead(step, token, head, cached);
      }
    }
  });
}

// One token's group of queries, and its key and value, of one KV head.
void AttentionEngine::rotateAndStoreHead(AttentionStep& step, int64_t token, int64_t head,
                                         const KvHead& cached) {
  const AttendKernels& kernels = kernels_.attend;
  const int64_t headDim = cached.headDim, group = groupSize();
  const float* table = step.ropeTable.floats() + token * headDim;
  float* row = activations_.floats() + token * (queryWidth() + 2 * keyWidth());
  float* queries = queries_.floats() + (head * step.numTokens() + token) * group * headDim;
  for (int64_t g = 0; g < group; g++) {
    const float* query = row + (head * group + g) * headDim;
    kernels.rotate(table, headDim, query, queries + g * headDim);
  }
  const int64_t position = step.positions[size_t(token)];
  const auto& blocks = step.blockTables[size_t(step.sequences[size_t(token)])];
  const int64_t block = blocks[size_t(position / cached.blockSize)];
  const int64_t slot = position % cached.blockSize;
  float* key = row + queryWidth() + head * headDim;
  kernels.rotate(table, headDim, key, key);
  kernels.storeKey(cached, key, block, slot);
  kernels.storeValue(cached, key + keyWidth(), block, slot);
}

}  // namespace octet
