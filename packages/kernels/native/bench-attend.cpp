// How fast attention is at Mixtral's shape, as a part of what the machine can do in the same run:
// decode by the bytes of KV read, against plain reading; prefill by f32 operations, against nothing
// but multiply-adds.
//
//   bench-attend [THREADS] [ISA]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench-limits.h"
#include "cpu-isa.h"
#include "processors.h"
#include "step-attention.h"

namespace octet::bench {

namespace {

constexpr int64_t heads = 32, kvHeads = 8, headDim = 128, blockSize = 16;
constexpr int64_t noWindow = int64_t(1) << 53;

// More than any cache holds.
constexpr int64_t decodeBytes = int64_t(256) << 20;

struct Case {
  int64_t numSequences;
  int64_t past;    // positions of each sequence before the step
  int64_t tokens;  // of each sequence in the step
};

constexpr Case cases[] = {
    {1, 511, 1}, {1, 4095, 1}, {1, 32767, 1}, {8, 4095, 1}, {1, 0, 512}, {1, 0, 4096},
};

float real(uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return float(int32_t(state >> 40) - 0x800000) / float(0x800000);
}

// Elements of magnitude below 1, wherever they lie.
void fillCache(const KvCache& cache, uint64_t& state) {
  uint8_t* to = cache.head(0, 0).keys;
  for (size_t at = 0; at < cache.bytes(); at += 2) {
    const float value = real(state);
    memcpy(to + at, reinterpret_cast<const uint8_t*>(&value) + 2, 2);
  }
}

AttentionStep makeStep(const Case& of, int64_t blocksEach) {
  AttentionStep step;
  for (int64_t sequence = 0; sequence < of.numSequences; sequence++) {
    for (int64_t token = 0; token < of.tokens; token++) {
      step.tokenIds.push_back(0);
      step.positions.push_back(int32_t(of.past + token));
      step.sequences.push_back(int32_t(sequence));
    }
    std::vector<int32_t> table;
    for (int64_t block = 0; block < blocksEach; block++) {
      table.push_back(int32_t(sequence * blocksEach + block));
    }
    step.blockTables.push_back(table);
  }
  return step;
}

struct Spread {
  double least, median, most;
};

Spread spreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

void report(const Case& of, std::vector<double> speeds, std::vector<double> limits) {
  std::vector<double> parts;
  for (size_t i = 0; i < speeds.size(); i++) parts.push_back(100 * speeds[i] / limits[i]);
  const Spread speed = spreadOf(speeds), limit = spreadOf(limits), part = spreadOf(parts);
  printf("%lld x %lld tokens after %5lld: %6.1f of %6.1f %s: %3.0f %% (%.0f .. %.0f)\n",
         static_cast<long long>(of.numSequences), static_cast<long long>(of.tokens),
         static_cast<long long>(of.past), speed.median / 1e9, limit.median / 1e9,
         of.tokens == 1 ? "GB/s read" : "GFLOP/s multiply-add", part.median, part.least, part.most);
}

void run(const KernelTable& kernels, ThreadPool& pool, const Case& of) {
  const bool isDecode = of.tokens == 1;
  const int64_t positions = of.past + of.tokens;
  const int64_t blocksEach = (positions + blockSize - 1) / blockSize;
  const int64_t numBlocks = blocksEach * of.numSequences;
  const int64_t layerBytes = numBlocks * blockSize * kvHeads * headDim * 2 * 2;
  const int64_t layers = isDecode ? std::max<int64_t>(2, decodeBytes / layerBytes) : 1;
  uint64_t state = 1;
  const KvCache cache({Format::bf16, layers, numBlocks, kvHeads, blockSize, headDim});
  fillCache(cache, state);
  StepAttention attention(kernels.attend, cache, {heads / kvHeads, noWindow}, pool.threads());
  const AttentionStep step = makeStep(of, blocksEach);
  std::vector<float> queries(size_t(step.numTokens() * heads * headDim)), out(queries.size());
  for (float& query : queries) query = 2 * real(state);

  double work = double(cache.bytes());
  if (!isDecode) {
    const double pairs = double(of.tokens) * (double(of.past) + double(of.tokens + 1) / 2);
    work = 4 * double(headDim * heads * of.numSequences) * pairs;
  }
  std::vector<double> speeds, limits;
  for (int round = 0; round < 11; round++) {
    const double limit =
        isDecode ? readSpeed(pool, cache.head(0, 0).keys, cache.bytes()) : fmaSpeed(pool);
    const int64_t times = isDecode || positions > 1024 ? 1 : 8;
    const double start = secondsNow();
    for (int64_t i = 0; i < times; i++) {
      for (int64_t layer = 0; layer < layers; layer++) {
        attention.run(pool, step, layer, queries.data(), out.data());
      }
    }
    const double seconds = secondsNow() - start;
    if (round == 0) continue;  // memory is mapped, threads are awake
    speeds.push_back(double(times) * work / seconds);
    limits.push_back(limit);
  }
  report(of, speeds, limits);
}

}  // namespace

}  // namespace octet::bench

int main(int argc, char** argv) {
  using namespace octet;
  const int threads = argc > 1 ? atoi(argv[1]) : availableProcessors();
  const std::string isa = argc > 2 ? argv[2] : supportedKernels()[0]->name;
  for (const KernelTable* kernels : supportedKernels()) {
    if (isa != kernels->name) continue;
    ThreadPool pool(threads);
    printf("%s, %d threads; heads %lld / %lld of %lld, bf16\n", kernels->name, threads,
           static_cast<long long>(bench::heads), static_cast<long long>(bench::kvHeads),
           static_cast<long long>(bench::headDim));
    for (const bench::Case& of : bench::cases) bench::run(*kernels, pool, of);
    return 0;
  }
  fprintf(stderr, "bench-attend: this machine does not run \"%s\"\n", isa.c_str());
  return 1;
}
