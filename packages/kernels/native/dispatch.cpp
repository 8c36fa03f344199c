// The gate half of a layer: residual, norm, gate, top-K, and the rows each expert receives.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <atomic>

#include "attention-engine.h"
#include "failure.h"
#include "row-format.h"

namespace octet {

namespace {

// The K largest logits, falling, ties to the lower id. False if a logit is not finite.
bool selectExperts(const float* logits, int64_t numExperts, int64_t count, int32_t* ids,
                   float* chosen) {
  for (int64_t e = 0; e < numExperts; e++) {
    if (!isfinite(logits[e])) return false;
  }
  for (int64_t k = 0; k < count; k++) {
    int64_t best = -1;
    for (int64_t e = 0; e < numExperts; e++) {
      const bool taken = std::find(ids, ids + k, int32_t(e)) != ids + k;
      if (!taken && (best < 0 || logits[e] > logits[best])) best = e;
    }
    ids[k] = int32_t(best);
    chosen[k] = logits[best];
  }
  return true;
}

}  // namespace

void AttentionEngine::dispatch(ThreadPool& pool, AttentionStep& step, const LayerWeights& weights,
                               const DispatchTarget& target) {
  const int64_t tokens = step.numTokens();
  const int64_t perToken = shape_.numExpertsPerToken;
  const int64_t bytes = rowBytes(shape_.format, shape_.hiddenSize);
  encoded_.reserve(size_t(tokens * bytes));
  step.routes.resize(size_t(tokens * perToken));
  std::atomic<bool> finite{true};
  pool.forEach(tokens, [&](int64_t token, int thread) {
    Scratch& scratch = scratch_[size_t(thread)];
    if (!gateToken(step, weights, target, token, scratch)) finite = false;
  });
  if (pool.abandoned()) return;
  if (!finite) throw Failure("non-finite", "the gate's logits hold NaN or infinity");
  buildBatches(step, target);
  pool.forEach(tokens * perToken, [&](int64_t row, int) {
    const uint8_t* from = encoded_.bytes() + target.tokenIndex[row] * bytes;
    memcpy(target.rows + row * bytes, from, size_t(bytes));
  });
}

// One token: hidden += attention; encoded_[t] = its normed row; its experts and their weights.
bool AttentionEngine::gateToken(AttentionStep& step, const LayerWeights& weights,
                                const DispatchTarget& target, int64_t token, Scratch& scratch) {
  const int64_t width = shape_.hiddenSize, perToken = shape_.numExpertsPerToken;
  float* hidden = hiddenRow(step, token);
  const float* attention = activations_.floats() + token * width;
  for (int64_t i = 0; i < width; i++) hidden[i] = hidden[i] + attention[i];
  float* normed = scratch.normed.floats();
  kernels_.rmsNorm(hidden, weights.postAttentionNorm, shape_.rmsNormEps, width, normed);
  uint8_t* encoded = encoded_.bytes() + token * rowBytes(shape_.format, width);
  kernels_.encode(shape_.format, normed, width, encoded);

  const size_t stride = kernels_.preparedBytes(Format::f32, width);
  kernels_.prepare(Format::f32, normed, width, {0, width}, scratch.prepared.bytes());
  float logits[maxExperts];
  const PreparedRows row = {scratch.prepared.bytes(), 1, stride};
  kernels_.multiply(weights.gate, {0, shape_.numExperts}, row, logits, shape_.numExperts,
                    scratch.partial.floats());

  int32_t* ids = target.expertIds + token * perToken;
  float* combineWeights = target.combineWeights + token * perToken;
  if (!selectExperts(logits, shape_.numExperts, perToken, ids, combineWeights)) return false;
  kernels_.softmaxFalling(combineWeights, perToken);
  Route* routes = step.routes.data() + token * perToken;
  for (int64_t k = 0; k < perToken; k++) routes[k] = {ids[k], 0, combineWeights[k]};
  std::sort(routes, routes + perToken,
            [](const Route& a, const Route& b) { return a.expert < b.expert; });
  return true;
}

// Groups the tokens by expert: batchStart, tokenIndex, and each route's row.
void AttentionEngine::buildBatches(AttentionStep& step, const DispatchTarget& target) {
  const int64_t experts = shape_.numExperts, perToken = shape_.numExpertsPerToken;
  int32_t* start = target.batchStart;
  std::fill(start, start + experts + 1, 0);
  for (const Route& route : step.routes) start[route.expert + 1]++;
  for (int64_t e = 0; e < experts; e++) start[e + 1] += start[e];
  std::vector<int32_t> filled(size_t(experts), 0);
  for (size_t i = 0; i < step.routes.size(); i++) {
    Route& route = step.routes[i];
    route.row = filled[size_t(route.expert)]++;
    target.tokenIndex[start[route.expert] + route.row] = int32_t(int64_t(i) / perToken);
  }
}

}  // namespace octet
