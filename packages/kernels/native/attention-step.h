// A batch of sequences on its way through the layers.
#pragma once

#include <stdint.h>

#include <vector>

#include "aligned-buffer.h"

namespace octet {

// Where one of a token's experts was sent, and what its answer weighs.
struct Route {
  int32_t expert;
  int32_t row;  // in that expert's batch
  float weight;
};

struct AttentionStep {
  std::vector<int32_t> tokenIds;   // [T]
  std::vector<int32_t> positions;  // [T]
  std::vector<int32_t> sequences;  // [T]: index into blockTables
  std::vector<std::vector<int32_t>> blockTables;
  std::vector<int32_t> logitRows;  // rows of [T] whose logits are wanted

  AlignedBuffer hidden;       // [T, H] f32, the residual stream
  AlignedBuffer ropeTable;    // [T, headDim] f32
  std::vector<Route> routes;  // [T, K], each token's by rising expert id: the last dispatch

  int64_t numTokens() const { return int64_t(tokenIds.size()); }
};

// Tokens begin .. begin + count - 1 of a step, which follow each other in one sequence.
struct TokenRun {
  int64_t begin;
  int64_t count;
};

// A step's tokens in runs, none of which goes on beyond a multiple of `positions`.
std::vector<TokenRun> tokenRuns(const AttentionStep& step, int64_t positions);

// Where a layer's dispatch is written.
struct DispatchTarget {
  uint8_t* rows;          // [T × K] rows in the travelling form, batch after batch
  int32_t* tokenIndex;    // [T × K]: which token each row is
  int32_t* batchStart;    // [E + 1]: expert e's rows are batchStart[e] .. batchStart[e + 1] - 1
  int32_t* expertIds;     // [T, K], by falling gate logit
  float* combineWeights;  // [T, K]
};

}  // namespace octet
