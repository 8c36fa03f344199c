// Attention of all of a step's tokens over one layer of the cache, cut into tasks for threads.
#pragma once

#include <stdint.h>

#include <vector>

#include "aligned-buffer.h"
#include "attention-step.h"
#include "kv-cache.h"
#include "thread-pool.h"

namespace octet {

struct AttentionGroups {
  int64_t groupSize;      // query heads to a KV head
  int64_t slidingWindow;  // positions that a token sees, itself included
};

class StepAttention {
 public:
  // Both must outlive it. `threads` is the pool's that will run it.
  StepAttention(const AttendKernels& kernels, const KvCache& cache, const AttentionGroups& groups,
                int threads);

  // queries: [KV head, token, groupSize, headDim]; out: [token, heads × headDim].
  void run(ThreadPool& pool, const AttentionStep& step, int64_t layer, const float* queries,
           float* out);

 private:
  struct Scratch {
    AlignedBuffer scores;
    AlignedBuffer sums;  // over the chunks so far, and over the next
  };
  // Some tokens of one sequence, and the chunks that they see.
  struct Tile {
    TokenRun tokens;
    int64_t firstChunk;
    int64_t numChunks;
  };
  // A tile and a KV head.
  struct Item {
    const Tile* tile;
    int64_t head;
    float* sums;  // over each of its chunks, if several units share it; else null
  };
  // What a thread takes: chunks of an item.
  struct Unit {
    const Item* item;
    int64_t firstChunk;
    int64_t numChunks;
  };
  struct Call {
    const AttentionStep& step;
    int64_t layer;
    const float* queries;
    float* out;
  };

  void planTiles(const AttentionStep& step);
  void planItems();
  size_t planUnits(size_t begin);
  void attendWhole(const Call& call, const Unit& unit, Scratch& scratch) const;
  void attendPart(const Call& call, const Unit& unit, Scratch& scratch) const;
  void mergeParts(const Call& call, const Item& item) const;
  void finish(const Call& call, const Item& item, const AttendSums& sums) const;
  AttendTask taskOf(const Call& call, const Unit& unit) const;

  int64_t rowsOf(const Item& item) const { return item.tile->tokens.count * groups_.groupSize; }
  size_t sumsFloats(int64_t rows) const;
  AttendSums sumsAt(float* memory, int64_t rows) const;

  const AttendKernels& kernels_;
  const KvCache& cache_;
  const AttentionGroups groups_;
  const int64_t tileTokens_;
  std::vector<Scratch> scratch_;  // one for each thread

  // Of the call under way.
  std::vector<Tile> tiles_;
  int64_t unitChunks_ = 1;  // most that one unit takes
  std::vector<Item> items_;
  // Of a wave of it.
  std::vector<Unit> units_;
  std::vector<Item*> shared_;  // by several units
  AlignedBuffer partSums_;
};

}  // namespace octet
