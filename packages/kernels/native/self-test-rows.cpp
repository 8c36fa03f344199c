// Everything that works row by row: every build against the portable one, bit by bit, and the
// portable one against libm where there is a formula.
#include <math.h>

#include "aligned-buffer.h"
#include "cpu-isa.h"
#include "self-test.h"

namespace octet::selftest {

namespace {

const std::vector<int64_t> widths = {1, 2, 15, 16, 17, 31, 32, 33, 64, 96, 130};

std::vector<uint8_t> bytesOf(const std::vector<float>& values) {
  const uint8_t* from = reinterpret_cast<const uint8_t*>(values.data());
  return std::vector<uint8_t>(from, from + values.size() * sizeof(float));
}

// Tiny, huge, signed zero, ties of bf16, and ordinary values.
std::vector<float> trickyReals(Random& random, size_t count) {
  std::vector<float> values = randomReals(random, count);
  const float tricky[] = {0.0f, -0.0f, 1e-42f, -3e38f, 1.00390625f, -1.01171875f, 3e-38f, 65504.0f};
  for (size_t i = 0; i < count; i += 5) values[i] = tricky[random.next() % 8];
  return values;
}

// Runs `make` with every build and compares what it returns.
template <class Make>
void checkBuildsAgree(const char* rule, int64_t width, const Make& make) {
  const auto expected = make(kernelsPortable());
  for (const KernelTable* kernels : supportedKernels()) {
    const std::string what =
        std::string(rule) + " " + kernels->name + " width " + std::to_string(width);
    checkSameBits(make(*kernels), expected, what);
  }
}

void testEncode(Random& random, int64_t width) {
  const std::vector<float> x = trickyReals(random, size_t(width));
  for (const Format format : allFormats) {
    if (isQuantised(format) && width % quantBlockSize != 0) continue;
    checkBuildsAgree("encode", width, [&](const KernelTable& kernels) {
      OddBytes encoded(size_t(rowBytes(format, width)));
      kernels.encode(format, x.data(), width, encoded.data());
      return std::vector<uint8_t>(encoded.data(), encoded.data() + encoded.size());
    });
    for (const KernelTable* kernels : supportedKernels()) {
      // What travels is what the kernel would have made of it.
      const size_t bytes = kernels->preparedBytes(format, width);
      std::vector<uint8_t> direct(bytes), travelled(bytes), inParts(bytes);
      OddBytes encoded(size_t(rowBytes(format, width)));
      kernels->encode(format, x.data(), width, encoded.data());
      kernels->prepareEncoded(format, encoded.data(), width, travelled.data());
      kernels->prepare(format, x.data(), width, {0, width}, direct.data());
      for (int64_t begin = 0; begin < width; begin += prepareColumns) {
        const int64_t end = begin + prepareColumns < width ? begin + prepareColumns : width;
        const std::vector<float> part(x.begin() + begin, x.begin() + end);
        kernels->prepare(format, part.data(), width, {begin, end}, inParts.data());
      }
      checkSameBits(travelled, direct, "a row that travelled is the row prepared");
      checkSameBits(inParts, direct, "a row prepared in parts is the row prepared whole");
    }
  }
}

void testElementwise(Random& random, int64_t width) {
  const std::vector<float> x = randomReals(random, size_t(width));
  const std::vector<float> y = randomReals(random, size_t(width));
  const std::vector<uint8_t> weight = bytesOf(y);
  checkBuildsAgree("rmsNorm", width, [&](const KernelTable& kernels) {
    std::vector<float> out(static_cast<size_t>(width));
    kernels.rmsNorm(x.data(), weight.data(), 1e-5f, width, out.data());
    return out;
  });
  checkBuildsAgree("siluMultiply", width, [&](const KernelTable& kernels) {
    std::vector<float> out = x;
    for (float& value : out) value *= 120.0f;
    kernels.siluMultiply(out.data(), y.data(), width);
    for (size_t i = 0; i < out.size(); i++) {
      const double in = double(x[i] * 120.0f);
      const double expected = in / (1 + exp(-in)) * double(y[i]);
      const double error = fabs(double(out[i]) - expected);
      check(error <= 1e-6 * fabs(expected) + 1e-34, "silu is x / (1 + e^-x)");
    }
    return out;
  });
}

void testCombine(Random& random, int64_t width) {
  const std::vector<float> weights = randomReals(random, 3);
  for (const Format format : {Format::f32, Format::bf16}) {
    OddBytes rows(3 * elementBytes(format, size_t(width)));
    fillElements(random, format, rows.data(), size_t(3 * width));
    const uint8_t* at[3];
    for (size_t k = 0; k < 3; k++) at[k] = rows.data() + k * elementBytes(format, size_t(width));
    const auto run = [&](const KernelTable& kernels, int64_t expectedBad) {
      std::vector<float> acc(static_cast<size_t>(width));
      const int64_t bad = kernels.combine(format, at, weights.data(), 3, width, acc.data());
      check(bad == expectedBad, "combine names the first row that is not finite, or none");
      return acc;
    };
    checkBuildsAgree("combine", width, [&](const KernelTable& kernels) { return run(kernels, 3); });
    // The last element of the second row becomes infinite.
    uint8_t* last = rows.data() + 2 * elementBytes(format, size_t(width));
    const uint16_t infinity = 0x7f80;
    memcpy(last - 2, &infinity, sizeof infinity);
    if (format == Format::f32) memset(last - 4, 0, 2);
    for (const KernelTable* kernels : supportedKernels()) run(*kernels, 1);
  }
}

void testSoftmax(Random& random) {
  for (int64_t count = 1; count <= 8; count++) {
    std::vector<float> logits = randomReals(random, size_t(count));
    logits[0] = 1.5f;
    checkBuildsAgree("softmaxFalling", count, [&](const KernelTable& kernels) {
      std::vector<float> out = logits;
      kernels.softmaxFalling(out.data(), count);
      double sum = 0;
      for (const float logit : logits) sum += exp(double(logit));
      for (size_t i = 0; i < out.size(); i++) {
        check(fabs(double(out[i]) - exp(double(logits[i])) / sum) < 3e-7, "softmax is e^x / sum");
      }
      return out;
    });
  }
}

}  // namespace

void testRows() {
  Random random(2);
  for (const int64_t width : widths) {
    testEncode(random, width);
    testElementwise(random, width);
    testCombine(random, width);
  }
  testSoftmax(random);
}

}  // namespace octet::selftest
