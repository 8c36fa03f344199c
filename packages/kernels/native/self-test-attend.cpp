// Attention over the cache: against plain f64 sums at awkward sizes, and against itself: neither
// the build, nor threads, nor the tokens beside it, nor the blocks of its past may change a bit.
#include <math.h>

#include "cpu-isa.h"
#include "self-test.h"
#include "step-attention.h"

namespace octet::selftest {

namespace {

struct Shape {
  Format format;
  int64_t groupSize, headDim, blockSize, window;
};

constexpr int64_t unlimited = int64_t(1) << 53;
constexpr int64_t kvHeads = 2;

// A sequence's queries, keys and values, all in the cache's format so that storing is exact.
struct Sequence {
  int64_t length;
  std::vector<float> queries;       // [position, KV head, group, headDim]
  std::vector<float> keys, values;  // [position, KV head, headDim]
};

std::vector<float> cacheable(Random& random, Format format, size_t count) {
  std::vector<float> values = randomReals(random, count);
  if (format == Format::f32) return values;
  for (float& value : values) value = bf16At(reinterpret_cast<const uint8_t*>(&value), 1);
  return values;
}

Sequence makeSequence(Random& random, const Shape& shape, int64_t length) {
  const size_t heads = size_t(length * kvHeads);
  const size_t width = size_t(shape.headDim);
  Sequence sequence = {length, {}, {}, {}};
  sequence.queries = randomReals(random, heads * size_t(shape.groupSize) * width);
  // Sharp enough that largest scores differ between chunks.
  for (float& query : sequence.queries) query *= 6.0f;
  sequence.keys = cacheable(random, shape.format, heads * width);
  sequence.values = cacheable(random, shape.format, heads * width);
  return sequence;
}

// What runs a step: a cache of one layer in which all that is not written is NaN.
class StepRunner {
 public:
  StepRunner(const KernelTable& kernels, const Shape& shape, int64_t length, int threads)
      : kernels_(kernels),
        shape_(shape),
        numBlocks_(length / shape.blockSize + 3),
        pool_(threads),
        cache_({shape.format, 1, numBlocks_, kvHeads, shape.blockSize, shape.headDim}),
        attention_(kernels.attend, cache_, {shape.groupSize, shape.window}, threads) {
    memset(cache_.head(0, 0).keys, 0xff, cache_.bytes());
  }

  // Blocks in falling order, so that the table matters.
  void fill(const Sequence& sequence) {
    blockTable_.clear();
    for (int64_t block = numBlocks_ - 1; block > 0; block--) blockTable_.push_back(int32_t(block));
    for (int64_t position = 0; position < sequence.length; position++) {
      const int64_t block = blockTable_[size_t(position / shape_.blockSize)];
      for (int64_t head = 0; head < kvHeads; head++) {
        const size_t row = size_t((position * kvHeads + head) * shape_.headDim);
        const KvHead kv = cache_.head(0, head);
        const int64_t slot = position % shape_.blockSize;
        kernels_.attend.storeKey(kv, sequence.keys.data() + row, block, slot);
        kernels_.attend.storeValue(kv, sequence.values.data() + row, block, slot);
      }
    }
  }

  // [token, KV head, group, headDim] of the tokens at `positions`, as one step.
  std::vector<float> run(const Sequence& sequence, const std::vector<int32_t>& positions) {
    AttentionStep step;
    step.positions = positions;
    step.tokenIds.assign(positions.size(), 0);
    step.blockTables = {blockTable_};
    step.sequences.assign(positions.size(), 0);
    const size_t width = size_t(shape_.groupSize * shape_.headDim);
    std::vector<float> queries;
    for (int64_t head = 0; head < kvHeads; head++) {
      for (const int32_t position : positions) {
        const auto from =
            sequence.queries.begin() + int64_t(width) * (position * kvHeads + head);
        queries.insert(queries.end(), from, from + int64_t(width));
      }
    }
    std::vector<float> out(positions.size() * size_t(kvHeads) * width);
    attention_.run(pool_, step, 0, queries.data(), out.data());
    return out;
  }

 private:
  const KernelTable& kernels_;
  const Shape shape_;
  const int64_t numBlocks_;
  ThreadPool pool_;
  KvCache cache_;
  StepAttention attention_;
  std::vector<int32_t> blockTable_;
};

// One query head of one position.
void checkAgainstSums(const Shape& shape, const Sequence& sequence, int64_t position, int64_t head,
                      const float* query, const float* out) {
  const int64_t headDim = shape.headDim;
  const double scale = 1 / sqrt(double(headDim));
  std::vector<double> sums(static_cast<size_t>(headDim));
  double weight = 0;
  for (int64_t p = position < shape.window ? 0 : position - shape.window + 1; p <= position; p++) {
    const size_t row = size_t((p * kvHeads + head) * headDim);
    double score = 0;
    for (size_t i = 0; i < sums.size(); i++) score += double(query[i]) * sequence.keys[row + i];
    const double e = exp(score * scale);
    weight += e;
    for (size_t i = 0; i < sums.size(); i++) sums[i] += e * sequence.values[row + i];
  }
  for (size_t i = 0; i < sums.size(); i++) {
    check(fabs(double(out[i]) - sums[i] / weight) < 1e-5, "attention is softmax(q K) V");
  }
}

// Every build on the tokens first .. length - 1, in one step.
void checkTwin(Random& random, const Shape& shape, int64_t first, int64_t length) {
  const Sequence sequence = makeSequence(random, shape, length);
  std::vector<int32_t> positions;
  for (int64_t position = first; position < length; position++) {
    positions.push_back(int32_t(position));
  }
  const size_t width = size_t(shape.headDim);
  std::vector<float> expected;
  for (const KernelTable* kernels : supportedKernels()) {
    StepRunner runner(*kernels, shape, length, 1);
    runner.fill(sequence);
    const std::vector<float> out = runner.run(sequence, positions);
    if (expected.empty()) expected = out;
    checkSameBits(out, expected, std::string("attention ") + kernels->name + " equals others");
  }
  for (size_t row = 0; row < expected.size() / width; row++) {
    const int64_t perToken = kvHeads * shape.groupSize, token = int64_t(row) / perToken;
    const int64_t head = int64_t(row) % perToken / shape.groupSize;
    const size_t queryRow = size_t(first * perToken) + row;
    const float* query = sequence.queries.data() + queryRow * width;
    checkAgainstSums(shape, sequence, first + token, head, query, expected.data() + row * width);
  }
}

// A whole prompt against itself in parts, with other threads and in other blocks.
void checkInvariance(Random& random, const Shape& shape, int64_t length) {
  const Sequence sequence = makeSequence(random, shape, length);
  const KernelTable& kernels = *supportedKernels()[0];
  std::vector<int32_t> all;
  for (int64_t position = 0; position < length; position++) all.push_back(int32_t(position));
  StepRunner whole(kernels, shape, length, 1);
  whole.fill(sequence);
  const std::vector<float> expected = whole.run(sequence, all);
  for (int threads = 1; threads <= 4; threads++) {
    for (const int64_t part : {int64_t(1), int64_t(7), int64_t(250), length}) {
      Shape other = shape;
      other.blockSize = shape.blockSize + threads - 1;
      StepRunner runner(kernels, other, length, threads);
      runner.fill(sequence);
      std::vector<float> out;
      for (int64_t at = 0; at < length; at += part) {
        const int64_t end = at + part < length ? at + part : length;
        const std::vector<float> some =
            runner.run(sequence, std::vector<int32_t>(all.begin() + at, all.begin() + end));
        out.insert(out.end(), some.begin(), some.end());
      }
      checkSameBits(out, expected, "attention in parts of " + std::to_string(part) + ", " +
                                       std::to_string(threads) + " threads, equals a whole prompt");
    }
  }
}

// Sixteen items that four threads share, whose sums are more than a wave has memory for; one thread
// takes each of them whole.
void checkWaves(Random& random) {
  const Shape shape = {Format::bf16, 4, 16, 16, unlimited};
  const int64_t length = 32768;
  const Sequence sequence = makeSequence(random, shape, length);
  std::vector<int32_t> positions;
  for (int64_t position = length - 64; position < length; position++) {
    positions.push_back(int32_t(position));
  }
  std::vector<float> expected;
  for (const int threads : {1, 4}) {
    StepRunner runner(*supportedKernels()[0], shape, length, threads);
    runner.fill(sequence);
    const std::vector<float> out = runner.run(sequence, positions);
    if (expected.empty()) expected = out;
    checkSameBits(out, expected, "attention in waves equals attention of whole items");
  }
}

}  // namespace

void testAttend() {
  Random random(3);
  for (const Format format : {Format::f32, Format::bf16}) {
    for (const int64_t headDim : {2, 16, 20, 66}) {
      for (const int64_t groupSize : {1, 3, 4, 5}) {
        for (const int64_t length : {1, 7, 16, 17, 41}) {
          checkTwin(random, {format, groupSize, headDim, 7, unlimited}, 0, length);
          checkTwin(random, {format, groupSize, headDim, 16, 6}, length / 2, length);
        }
      }
    }
    // Around the borders of chunks; windows that begin and end within one.
    for (const int64_t length : {255, 256, 257, 511, 513, 770}) {
      for (const int64_t blockSize : {1, 16, 20, 300}) {
        checkTwin(random, {format, 4, 20, blockSize, unlimited}, length - 9, length);
        checkTwin(random, {format, 4, 20, blockSize, 250}, length - 9, length);
        checkTwin(random, {format, 2, 16, blockSize, 3}, length - 9, length);
      }
    }
    checkTwin(random, {format, 4, 8, 16, unlimited}, 32767, 32768);
    checkTwin(random, {format, 40, 4, 16, unlimited}, 270, 274);
    checkInvariance(random, {format, 4, 12, 16, unlimited}, 600);
    checkInvariance(random, {format, 1, 18, 5, 263}, 600);
  }
  checkWaves(random);
}

}  // namespace octet::selftest
