#include "attention-step.h"

namespace octet {

std::vector<TokenRun> tokenRuns(const AttentionStep& step, int64_t positions) {
  std::vector<TokenRun> runs;
  for (size_t token = 0; token < step.positions.size(); token++) {
    const bool follows = token > 0 && step.sequences[token] == step.sequences[token - 1] &&
                         step.positions[token] == step.positions[token - 1] + 1;
    if (follows && step.positions[token] % positions != 0) runs.back().count++;
    else runs.push_back({int64_t(token), 1});
  }
  return runs;
}

}  // namespace octet
