// The thread pool, and both engines on a small random model: one thread equals several, every build
// equals every other, and nothing is read or written outside its place.
#include <atomic>
#include <memory>

#include "attention-engine.h"
#include "cpu-isa.h"
#include "expert-engine.h"
#include "failure.h"
#include "self-test-weights.h"
#include "self-test.h"

namespace octet::selftest {

namespace {

constexpr int64_t hidden = 96, inner = 160, numExperts = 5, perToken = 3, vocab = 70;
constexpr int64_t heads = 6, kvHeads = 2, headDim = 16, numLayers = 2;

std::vector<uint8_t> runExpert(const KernelTable& kernels, Format format, int threads,
                               int64_t rows) {
  RandomFile content;
  const auto w1 = content.add(format, inner, hidden, 0.2f);
  const auto w3 = content.add(format, inner, hidden, 0.2f);
  const auto w2 = content.add(format, hidden, inner, 0.2f);
  auto file = content.map();
  const auto matrix = [&](std::pair<size_t, size_t> at, int64_t n, int64_t k) {
    return Matrix{format, n, k, file->at(at.first),
                  isQuantised(format) ? file->at(at.second) : nullptr};
  };
  std::vector<ExpertMatrices> experts = {
      {matrix(w1, inner, hidden), matrix(w3, inner, hidden), matrix(w2, hidden, inner)}};
  ThreadPool pool(threads);
  std::vector<std::unique_ptr<MappedFile>> files;
  files.push_back(std::move(file));
  ExpertEngine engine(kernels, {format, hidden, inner}, std::move(files), experts, threads);
  Random random(5);
  OddBytes input(size_t(rows * rowBytes(format, hidden)));
  for (int64_t row = 0; row < rows; row++) {
    const std::vector<float> x = randomReals(random, size_t(hidden));
    kernelsPortable().encode(format, x.data(), hidden,
                             input.data() + row * rowBytes(format, hidden));
  }
  OddBytes output(size_t(rows * rowBytes(replyFormat(format), hidden)));
  engine.forward(pool, 0, input.data(), rows, output.data());
  return std::vector<uint8_t>(output.data(), output.data() + output.size());
}

AttentionWeights makeWeights(RandomFile& content, Format format,
                             std::unique_ptr<MappedFile>& file) {
  struct Plan {
    Matrix* to;
    const uint8_t** vector;
    std::pair<size_t, size_t> at;
  };
  std::vector<Plan> plans;
  AttentionWeights weights = {};
  weights.layers.resize(size_t(numLayers));
  const auto matrix = [&](Matrix& to, Format of, int64_t rows, int64_t cols) {
    to = {of, rows, cols, nullptr, nullptr};
    plans.push_back({&to, nullptr, content.add(of, rows, cols, 0.3f)});
  };
  const auto vector = [&](const uint8_t*& to) {
    plans.push_back({nullptr, &to, content.add(Format::f32, 1, hidden, 1.0f)});
  };
  matrix(weights.embedding, replyFormat(format), vocab, hidden);
  for (LayerWeights& layer : weights.layers) {
    vector(layer.inputNorm);
    matrix(layer.q, format, heads * headDim, hidden);
    matrix(layer.k, format, kvHeads * headDim, hidden);
    matrix(layer.v, format, kvHeads * headDim, hidden);
    matrix(layer.o, format, hidden, heads * headDim);
    vector(layer.postAttentionNorm);
    matrix(layer.gate, Format::f32, numExperts, hidden);
  }
  vector(weights.finalNorm);
  matrix(weights.lmHead, format, vocab, hidden);
  file = content.map();
  for (const Plan& plan : plans) {
    if (plan.vector != nullptr) *plan.vector = file->at(plan.at.first);
    else {
      plan.to->data = file->at(plan.at.first);
      if (isQuantised(plan.to->format)) plan.to->scales = file->at(plan.at.second);
    }
  }
  return weights;
}

// Two sequences of several tokens through both layers; experts answer with what they were sent.
std::vector<float> runAttention(const KernelTable& kernels, Format format, int threads) {
  RandomFile content;
  std::unique_ptr<MappedFile> file;
  AttentionWeights weights = makeWeights(content, format, file);
  const AttentionShape shape = {format, hidden, heads, numExperts, perToken, vocab, 9, 1e4, 1e-5f};
  const Format kvFormat = replyFormat(format);
  ThreadPool pool(threads);
  AttentionEngine engine(kernels, shape, {kvFormat, numLayers, 8, kvHeads, 4, headDim},
                         std::move(file), std::move(weights), threads);
  AttentionStep step;
  for (int32_t i = 0; i < 18; i++) {
    step.tokenIds.push_back((i * 29) % int32_t(vocab));
    step.positions.push_back(i < 13 ? i : i - 13);
    step.sequences.push_back(i < 13 ? 0 : 1);
  }
  step.blockTables = {{7, 2, 5, 0}, {1, 3}};
  step.logitRows = {0, 12, 17};
  const size_t numRoutes = size_t(step.numTokens() * perToken);
  OddBytes rows(numRoutes * size_t(rowBytes(format, hidden)));
  std::vector<int32_t> tokenIndex(numRoutes), batchStart(size_t(numExperts) + 1), ids(numRoutes);
  std::vector<float> combineWeights(numRoutes), logits(3 * size_t(vocab));
  const int64_t replyBytes = rowBytes(kvFormat, hidden);
  OddBytes answers(numRoutes * size_t(replyBytes));
  Random random(6);
  fillElements(random, kvFormat, answers.data(), numRoutes * size_t(hidden));
  ExpertReplies replies(size_t(numExperts), nullptr);
  for (int64_t layer = 0; layer < numLayers; layer++) {
    engine.runLayer(pool, step, layer, replies,
                    {rows.data(), tokenIndex.data(), batchStart.data(), ids.data(),
                     combineWeights.data()});
    for (size_t e = 0; e < replies.size(); e++) {
      replies[e] = answers.data() + batchStart[e] * replyBytes;
    }
  }
  check(size_t(batchStart.back()) == numRoutes, "every token is dispatched to K experts");
  engine.finish(pool, step, replies, logits.data());
  return logits;
}

}  // namespace

void testThreadPool() {
  for (int threads = 1; threads <= 4; threads++) {
    ThreadPool pool(threads);
    for (int64_t count = 0; count < 300; count++) {
      std::vector<int> visits(static_cast<size_t>(count));
      pool.forEach(count, [&](int64_t index, int thread) {
        check(thread >= 0 && thread < threads, "a loop's thread is one of the pool's");
        visits[size_t(index)]++;
      });
      for (const int visit : visits) check(visit == 1, "a loop visits every index once");
    }
    pool.abandon();
    std::atomic<int> visited{0};
    pool.forEach(1000, [&](int64_t, int) { visited++; });
    check(visited == 0, "an abandoned pool begins nothing");
  }
}

void testExpertEngine() {
  for (const Format format : allFormats) {
    for (const int64_t rows : {1, 5, 195}) {
      const std::vector<uint8_t> expected = runExpert(kernelsPortable(), format, 1, rows);
      for (const KernelTable* kernels : supportedKernels()) {
        for (int threads = 1; threads <= 3; threads++) {
          checkSameBits(runExpert(*kernels, format, threads, rows), expected,
                        std::string("experts agree: ") + kernels->name);
        }
      }
    }
  }
}

void testAttentionEngine() {
  for (const Format format : allFormats) {
    const std::vector<float> expected = runAttention(kernelsPortable(), format, 1);
    for (const KernelTable* kernels : supportedKernels()) {
      for (int threads = 1; threads <= 3; threads++) {
        checkSameBits(runAttention(*kernels, format, threads), expected,
                      std::string("attention agrees: ") + kernels->name);
      }
    }
  }
}

}  // namespace octet::selftest
