// Everything of the model that is not an expert: embedding, attention over the paged KV cache, the
// gate, the combine of the experts' answers, and the LM head.
#pragma once

#include <memory>
#include <vector>

#include "aligned-buffer.h"
#include "attention-step.h"
#include "kernel-table.h"
#include "kv-cache.h"
#include "mapped-file.h"
#include "rope.h"
#include "step-attention.h"
#include "thread-pool.h"

namespace octet {

struct AttentionShape {
  Format format;
  int64_t hiddenSize;
  int64_t numAttentionHeads;
  int64_t numExperts;
  int64_t numExpertsPerToken;
  int64_t vocabSize;
  int64_t slidingWindow;  // positions, itself included
  double ropeTheta;
  float rmsNormEps;
};

struct LayerWeights {
  const uint8_t* inputNorm;  // [H] f32
  Matrix q, k, v, o;
  const uint8_t* postAttentionNorm;  // [H] f32
  Matrix gate;                       // [E, H] f32
};

// Pointers into the mapped file.
struct AttentionWeights {
  Matrix embedding;  // [V, H], f32 or bf16
  std::vector<LayerWeights> layers;
  const uint8_t* finalNorm;  // [H] f32
  Matrix lmHead;             // [V, H]
};

// The experts' answers to the layer before: rows in the reply's form, null where none was asked.
using ExpertReplies = std::vector<const uint8_t*>;  // [E]

class AttentionEngine {
 public:
  AttentionEngine(const KernelTable& kernels, const AttentionShape& shape, const KvShape& kvShape,
                  std::unique_ptr<MappedFile> file, AttentionWeights weights, int threads);

  size_t kvBytes() const { return cache_.bytes(); }

  // See MappedFile.
  void populate(ThreadPool& pool) const {
    file_->populate([&] { return pool.abandoned(); });
  }

  // Throws Failure "non-finite"; "non-finite-reply" for an expert's answer, after which the step is
  // as it was and may be given another; "closed" if the pool was told to abandon it.
  void runLayer(ThreadPool& pool, AttentionStep& step, int64_t layer, const ExpertReplies& replies,
                const DispatchTarget& target);

  // logits: [n, V], n the step's logitRows. Fails as runLayer does.
  void finish(ThreadPool& pool, AttentionStep& step, const ExpertReplies& replies, float* logits);

 private:
  struct Scratch {
    AlignedBuffer normed;    // [H]
    AlignedBuffer prepared;  // one prepared f32 row of H
    AlignedBuffer partial;
  };
  struct Product {
    const Matrix* matrix;
    float* out;
    int64_t outStride;
  };

  void embed(ThreadPool& pool, AttentionStep& step);
  void combineReplies(ThreadPool& pool, AttentionStep& step, const ExpertReplies& replies);
  void multiplyAll(ThreadPool& pool, const std::vector<Product>& products,
                   const PreparedRows& activations);

  // attention-block.cpp
  void runAttention(ThreadPool& pool, AttentionStep& step, int64_t layer);
  void projectQkv(ThreadPool& pool, AttentionStep& step, const LayerWeights& weights);
  void rotateAndStore(ThreadPool& pool, AttentionStep& step, int64_t layer);
  void rotateAndStoreHead(AttentionStep& step, int64_t token, int64_t head, const KvHead& cached);

  // dispatch.cpp
  void dispatch(ThreadPool& pool, AttentionStep& step, const LayerWeights& weights,
                const DispatchTarget& target);
  bool gateToken(AttentionStep& step, const LayerWeights& weights, const DispatchTarget& target,
                 int64_t token, Scratch& scratch);
  void buildBatches(AttentionStep& step, const DispatchTarget& target);

  int64_t groupSize() const { return shape_.numAttentionHeads / cache_.shape().numKeyValueHeads; }
  int64_t queryWidth() const { return shape_.numAttentionHeads * cache_.shape().headDim; }
  int64_t keyWidth() const { return cache_.shape().numKeyValueHeads * cache_.shape().headDim; }
  float* hiddenRow(AttentionStep& step, int64_t token) const {
    return step.hidden.floats() + token * shape_.hiddenSize;
  }
  PreparedRows reservePrepared(int64_t rows, int64_t width);

  const KernelTable& kernels_;
  const AttentionShape shape_;
  const std::unique_ptr<MappedFile> file_;
  const AttentionWeights weights_;
  const Rope rope_;
  KvCache cache_;
  StepAttention attention_;
  std::vector<Scratch> scratch_;  // one for each thread

  // Between the phases of one call; T rows each.
  AlignedBuffer prepared_;
  AlignedBuffer queries_;  // [KV head, T, group, headDim]
  AlignedBuffer encoded_;  // [T] rows in the travelling form
  // One after another, as none is needed once the next is made: [T, H] what the experts add,
  // [T, q + k + v] projections, [T, heads × headDim] what attention gives, [T, H] its projection.
  AlignedBuffer activations_;
};

}  // namespace octet
