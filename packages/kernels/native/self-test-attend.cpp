// attend: every build against plain f64 attention, and against each other bit by bit.
#include <math.h>

#include "cpu-isa.h"
#include "self-test.h"

namespace octet::selftest {

namespace {

struct Case {
  Format format;
  int64_t groupSize, headDim, blockSize, first, last;
};

// One KV head's cache: blocks in falling order, so that the table matters.
struct Cache {
  std::vector<uint8_t> keys, values;
  std::vector<int32_t> blockTable;
  int64_t headStride;
  size_t blockBytes;
};

Cache makeCache(Random& random, const Case& c) {
  Cache cache = {};
  const int64_t numBlocks = c.last / c.blockSize + 1;
  cache.headStride = (c.headDim + 15) / 16 * 16;
  cache.blockBytes = elementBytes(c.format, size_t(c.blockSize * cache.headStride));
  for (std::vector<uint8_t>* plane : {&cache.keys, &cache.values}) {
    plane->resize(size_t(numBlocks) * cache.blockBytes);
    for (int64_t row = 0; row < numBlocks * c.blockSize; row++) {
      uint8_t* to = plane->data() + elementBytes(c.format, size_t(row * cache.headStride));
      fillElements(random, c.format, to, size_t(c.headDim));
    }
  }
  for (int64_t block = numBlocks - 1; block >= 0; block--) {
    cache.blockTable.push_back(int32_t(block));
  }
  return cache;
}

double cached(const Case& c, const Cache& cache, const std::vector<uint8_t>& plane,
              int64_t position, int64_t i) {
  const int64_t block = cache.blockTable[size_t(position / c.blockSize)];
  const size_t index =
      size_t((block * c.blockSize + position % c.blockSize) * cache.headStride + i);
  if (c.format == Format::bf16) return bf16At(plane.data(), index);
  float value;
  memcpy(&value, plane.data() + 4 * index, sizeof value);
  return value;
}

void checkAgainstSums(const Case& c, const Cache& cache, const std::vector<float>& query,
                      float scale, const std::vector<float>& out) {
  for (int64_t g = 0; g < c.groupSize; g++) {
    double denominator = 0;
    std::vector<double> sums(static_cast<size_t>(c.headDim));
    for (int64_t position = c.first; position <= c.last; position++) {
      double score = 0;
      for (int64_t i = 0; i < c.headDim; i++) {
        score += double(query[size_t(g * cache.headStride + i)]) *
                 cached(c, cache, cache.keys, position, i);
      }
      const double e = exp(score * double(scale));
      denominator += e;
      for (int64_t i = 0; i < c.headDim; i++) {
        sums[size_t(i)] += e * cached(c, cache, cache.values, position, i);
      }
    }
    for (int64_t i = 0; i < c.headDim; i++) {
      const double found = double(out[size_t(g * c.headDim + i)]);
      check(fabs(found - sums[size_t(i)] / denominator) < 1e-5, "attend is softmax(q K) V");
    }
  }
}

void runCase(Random& random, const Case& c) {
  const Cache cache = makeCache(random, c);
  std::vector<float> query(size_t(c.groupSize * cache.headStride));
  for (int64_t g = 0; g < c.groupSize; g++) {
    for (int64_t i = 0; i < c.headDim; i++) query[size_t(g * cache.headStride + i)] = random.real();
  }
  const int64_t count = c.last - c.first + 1, scoreStride = (count + 15) / 16 * 16;
  std::vector<float> expected;
  for (const KernelTable* kernels : supportedKernels()) {
    std::vector<float> scores(size_t(c.groupSize * scoreStride));
    std::vector<float> out(size_t(c.groupSize * c.headDim));
    const float scale = float(1 / sqrt(double(c.headDim)));
    kernels->attend({query.data(), c.groupSize, c.headDim, cache.headStride, scale, c.format,
                     cache.keys.data(), cache.values.data(), cache.blockBytes, c.blockSize,
                     cache.blockTable.data(), c.first, c.last, scores.data(), scoreStride,
                     out.data()});
    if (expected.empty()) checkAgainstSums(c, cache, query, scale, out);
    else checkSameBits(out, expected, std::string("attend ") + kernels->name + " equals others");
    expected = out;
  }
}

}  // namespace

void testAttend() {
  Random random(3);
  for (const Format format : {Format::f32, Format::bf16}) {
    for (const int64_t headDim : {2, 16, 20, 64}) {
      for (const int64_t groupSize : {1, 3, 4, 5}) {
        for (const int64_t last : {0, 6, 15, 16, 40}) {
          runCase(random, {format, groupSize, headDim, 7, 0, last});
          if (last > 5) runCase(random, {format, groupSize, headDim, 16, last - 5, last});
        }
      }
    }
  }
}

}  // namespace octet::selftest
