#include "attention-engine.h"

#include <string.h>

#include <atomic>
#include <string>
#include <utility>

#include "failure.h"
#include "row-format.h"

namespace octet {

namespace {

void addRow(float* to, const float* row, int64_t width) {
  for (int64_t i = 0; i < width; i++) to[i] = to[i] + row[i];
}

// Infinity and NaN times zero are NaN.
bool isFinite(const float* row, int64_t width) {
  bool finite = true;
  for (int64_t i = 0; i < width; i++) finite &= row[i] * 0.0f == 0.0f;
  return finite;
}

void throwIfAbandoned(const ThreadPool& pool) {
  if (pool.abandoned()) throw Failure("closed", "the engine was closed during the call");
}

}  // namespace

AttentionEngine::AttentionEngine(const KernelTable& kernels, const AttentionShape& shape,
                                 const KvShape& kvShape, std::unique_ptr<MappedFile> file,
                                 AttentionWeights weights, int threads)
    : kernels_(kernels),
      shape_(shape),
      file_(std::move(file)),
      weights_(std::move(weights)),
      rope_(shape.ropeTheta, kvShape.headDim),
      cache_(kvShape),
      attention_(kernels.attend, cache_, {groupSize(), shape.slidingWindow}, threads),
      scratch_(size_t(threads)) {
  for (Scratch& scratch : scratch_) {
    scratch.normed.reserve(size_t(shape.hiddenSize) * sizeof(float));
    scratch.prepared.reserve(kernels.preparedBytes(Format::f32, shape.hiddenSize));
    scratch.partial.reserve(multiplyScratchFloats * sizeof(float));
  }
}

void AttentionEngine::runLayer(ThreadPool& pool, AttentionStep& step, int64_t layer,
                               const ExpertReplies& replies, const DispatchTarget& target) {
  if (layer == 0) {
    embed(pool, step);
  } else {
    combineReplies(pool, step, replies);
    pool.forEach(step.numTokens(), [&](int64_t token, int) {
      const float* combined = activations_.floats() + token * shape_.hiddenSize;
      addRow(hiddenRow(step, token), combined, shape_.hiddenSize);
    });
  }
  runAttention(pool, step, layer);
  dispatch(pool, step, weights_.layers[size_t(layer)], target);
  throwIfAbandoned(pool);
}

void AttentionEngine::finish(ThreadPool& pool, AttentionStep& step, const ExpertReplies& replies,
                             float* logits) {
  combineReplies(pool, step, replies);
  const int64_t width = shape_.hiddenSize;
  const PreparedRows rows = reservePrepared(int64_t(step.logitRows.size()), width);
  pool.forEach(rows.count, [&](int64_t row, int thread) {
    const int64_t token = step.logitRows[size_t(row)];
    float* hidden = hiddenRow(step, token);
    float* normed = scratch_[size_t(thread)].normed.floats();
    addRow(hidden, activations_.floats() + token * width, width);
    kernels_.rmsNorm(hidden, weights_.finalNorm, shape_.rmsNormEps, width, normed);
    kernels_.prepare(shape_.format, normed, width, {0, width},
                     rows.data + size_t(row) * rows.stride);
  });
  multiplyAll(pool, {{&weights_.lmHead, logits, shape_.vocabSize}}, rows);
  std::atomic<bool> finite{true};
  pool.forEach(rows.count, [&](int64_t row, int) {
    if (!isFinite(logits + row * shape_.vocabSize, shape_.vocabSize)) finite = false;
  });
  throwIfAbandoned(pool);
  if (!finite) throw Failure("non-finite", "the logits hold NaN or infinity");
  step.hidden = AlignedBuffer();  // the step itself lives until JavaScript collects it
}

void AttentionEngine::embed(ThreadPool& pool, AttentionStep& step) {
  const int64_t width = shape_.hiddenSize, headDim = cache_.shape().headDim;
  const Matrix& table = weights_.embedding;
  step.hidden.reserve(size_t(step.numTokens() * width) * sizeof(float));
  step.ropeTable.reserve(size_t(step.numTokens() * headDim) * sizeof(float));
  pool.forEach(step.numTokens(), [&](int64_t token, int) {
    const int64_t id = step.tokenIds[size_t(token)];
    const uint8_t* from = table.data + id * rowBytes(table.format, width);
    float* to = hiddenRow(step, token);
    if (table.format == Format::f32) {
      memcpy(to, from, size_t(width) * sizeof(float));
    } else {
      for (int64_t i = 0; i < width; i++) {
        uint16_t half;
        memcpy(&half, from + 2 * i, sizeof half);
        const uint32_t bits = uint32_t(half) << 16;
        memcpy(to + i, &bits, sizeof bits);
      }
    }
    rope_.fillTable(step.positions[size_t(token)], step.ropeTable.floats() + token * headDim);
  });
}

// activations_[t] = Σ weight × reply, in ascending expert id. Leaves the step as it is.
void AttentionEngine::combineReplies(ThreadPool& pool, AttentionStep& step,
                                     const ExpertReplies& replies) {
  const int64_t width = shape_.hiddenSize;
  const size_t perToken = size_t(shape_.numExpertsPerToken);
  const Format format = replyFormat(shape_.format);
  const int64_t bytes = rowBytes(format, width);
  activations_.reserve(size_t(step.numTokens() * width) * sizeof(float));
  std::atomic<int32_t> badExpert{INT32_MAX};
  pool.forEach(step.numTokens(), [&](int64_t token, int) {
    const Route* routes = step.routes.data() + size_t(token) * perToken;
    const uint8_t* rows[maxExpertsPerToken];
    float weights[maxExpertsPerToken];
    for (size_t k = 0; k < perToken; k++) {
      rows[k] = replies[size_t(routes[k].expert)] + routes[k].row * bytes;
      weights[k] = routes[k].weight;
    }
    float* to = activations_.floats() + token * width;
    const int64_t bad = kernels_.combine(format, rows, weights, int64_t(perToken), width, to);
    if (bad < int64_t(perToken)) badExpert = routes[bad].expert;
  });
  throwIfAbandoned(pool);
  if (badExpert == INT32_MAX) return;
  throw Failure("non-finite-reply",
                "expert " + std::to_string(badExpert) + ": its output holds NaN or infinity");
}

// Several products of the same activations, as one loop.
void AttentionEngine::multiplyAll(ThreadPool& pool, const std::vector<Product>& products,
                                  const PreparedRows& activations) {
  int64_t tasks = 0;
  for (const Product& product : products) tasks += tasksFor(product.matrix->rows);
  if (activations.count == 0) return;
  pool.forEach(tasks, [&](int64_t task, int thread) {
    const Product* product = products.data();
    while (task >= tasksFor(product->matrix->rows)) {
      task -= tasksFor(product->matrix->rows);
      product++;
    }
    const RowRange range = taskRows(task, product->matrix->rows);
    kernels_.multiply(*product->matrix, range, activations, product->out + range.begin,
                      product->outStride, scratch_[size_t(thread)].partial.floats());
  });
}

PreparedRows AttentionEngine::reservePrepared(int64_t rows, int64_t width) {
  const size_t stride = kernels_.preparedBytes(shape_.format, width);
  prepared_.reserve(size_t(rows) * stride);
  return {prepared_.bytes(), rows, stride};
}

}  // namespace octet
