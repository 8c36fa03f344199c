// What the attention kernels are given, and what a build of them offers.
//
// Positions are cut into chunks at multiples of attendChunk. The sums over one chunk are a result
// of their own, and chunks are merged in rising order: so the chunks of one long sequence may be
// computed by several threads, and nothing shows. attend.h has the order of operations.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace octet {

enum class Format : int32_t;

// Part of the result: over other chunks, sums would round in another way. Small enough for many
// threads to share a short past; large enough that merging costs nothing.
constexpr int64_t attendChunk = 256;

// Positions, or dimensions, that lie side by side in the cache; see kv-layout.h.
constexpr int64_t kvLanes = 16;

// Floats of one row's scores over a chunk, with room on both sides for lanes beyond its ends.
constexpr int64_t attendScoreStride = attendChunk + 2 * kvLanes;

// One KV head in one layer of the cache.
struct KvHead {
  Format format;       // f32 or bf16
  uint8_t* keys;       // in block 0
  uint8_t* values;     // in block 0
  size_t blockBytes;   // from one block to the next
  int64_t blockSize;   // positions
  int64_t slotStride;  // blockSize rounded up to kvLanes
  int64_t headDim;     // even
  int64_t headStride;  // headDim rounded up to kvLanes
};

// What consecutive tokens of one sequence ask of one KV head. A row is one query head of one token:
// token × groupSize + head.
struct AttendTask {
  KvHead kv;
  const int32_t* blockTable;
  const float* queries;  // [rows, headDim]
  int64_t numTokens;
  int64_t groupSize;
  int64_t position;  // of the first token
  int64_t window;    // positions that a token sees, itself included
  float scale;
  int64_t readEnd;  // the caller goes on with chunks up to this position; fetched ahead
};

// Sums over some chunks, for each row of a task. A row that sees nothing there has weight 0.
struct AttendSums {
  float* largest;  // [rows]: the largest score
  float* weight;   // [rows]: Σ e^(score - largest)
  float* values;   // [rows, headStride]: Σ e^(score - largest) × value
};

// One build's attention kernels.
struct AttendKernels {
  // Turns a head by a position: element i with element i + headDim / 2. cosSin holds headDim / 2
  // cosines, then as many sines. `out` may be `head`.
  void (*rotate)(const float* cosSin, int64_t headDim, const float* head, float* out);

  // Writes a position's key or value into its slot of a block, in the cache's format.
  void (*storeKey)(const KvHead& kv, const float* key, int64_t block, int64_t slot);
  void (*storeValue)(const KvHead& kv, const float* value, int64_t block, int64_t slot);

  // sums = those over positions chunk × attendChunk and up. `scores`: [rows, attendScoreStride],
  // 64-byte aligned.
  void (*chunk)(const AttendTask& task, int64_t chunk, float* scores, const AttendSums& sums);

  // Adds the sums over the chunk that follows those in `into`.
  void (*merge)(const AttendTask& task, const AttendSums& next, const AttendSums& into);

  // out[token × outStride + head × headDim ...] = values / weight.
  void (*finish)(const AttendTask& task, const AttendSums& sums, float* out, int64_t outStride);
};

}  // namespace octet
