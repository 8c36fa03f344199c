// multiply: every build against plain f64 sums, and against each other bit by bit.
#include <math.h>

#include "aligned-buffer.h"
#include "cpu-isa.h"
#include "self-test.h"

namespace octet::selftest {

namespace {

struct Case {
  Format format;
  int64_t width;
  int64_t weightRows;
  int64_t activationRows;
};

std::string describe(const Case& c, const char* isa) {
  return std::string("multiply ") + isa + " format " + std::to_string(int(c.format)) + " [" +
         std::to_string(c.weightRows) + ", " + std::to_string(c.width) + "] by " +
         std::to_string(c.activationRows) + " rows";
}

std::vector<float> multiplyWith(const KernelTable& kernels, const Matrix& matrix,
                                const std::vector<float>& x, int64_t rows) {
  const size_t stride = kernels.preparedBytes(matrix.format, matrix.cols);
  AlignedBuffer prepared(stride * size_t(rows)), scratch(multiplyScratchFloats * sizeof(float));
  for (int64_t row = 0; row < rows; row++) {
    kernels.prepare(matrix.format, x.data() + row * matrix.cols, matrix.cols, {0, matrix.cols},
                    prepared.bytes() + size_t(row) * stride);
  }
  std::vector<float> out(size_t(rows * matrix.rows));
  for (int64_t task = 0; task < tasksFor(matrix.rows); task++) {
    const RowRange range = taskRows(task, matrix.rows);
    kernels.multiply(matrix, range, {prepared.bytes(), rows, stride}, out.data() + range.begin,
                     matrix.rows, scratch.floats());
  }
  return out;
}

// The activation as the format rounds it, read back from its travelling form.
std::vector<double> roundedRow(Format format, const float* x, int64_t width) {
  OddBytes encoded(size_t(rowBytes(format, width)));
  kernelsPortable().encode(format, x, width, encoded.data());
  std::vector<double> row;
  for (int64_t i = 0; i < width; i++) {
    float value = 0;
    if (format == Format::bf16) value = bf16At(encoded.data(), size_t(i));
    if (format == Format::f32 || format == Format::f16) memcpy(&value, encoded.data() + 4 * i, 4);
    if (isQuantised(format)) {
      memcpy(&value, encoded.data() + width + i / quantBlockSize * 4, 4);
      value *= float(int8_t(encoded.data()[i]));
    }
    row.push_back(value);
  }
  return row;
}

// One weight of a panel, without its scale.
int32_t quantAt(const Matrix& matrix, int64_t row, int64_t column) {
  const int64_t panel = row / panelRows, lane = row % panelRows;
  if (matrix.format == Format::q8) {
    const int64_t group = panel * (matrix.cols / 4) + column / 4;
    return int32_t(matrix.data[(group * panelRows + lane) * 4 + column % 4]) - 128;
  }
  const int64_t group = panel * (matrix.cols / 8) + column / 8;
  const int32_t both = matrix.data[(group * panelRows + lane) * 4 + column % 4];
  return (column % 8 < 4 ? both & 15 : both >> 4) - 8;
}

double weightAt(const Matrix& matrix, int64_t row, int64_t column) {
  const size_t index = size_t(row * matrix.cols + column);
  if (matrix.format == Format::bf16) return bf16At(matrix.data, index);
  if (matrix.format == Format::f16) return f16At(matrix.data, index);
  if (isQuantised(matrix.format)) {
    const int64_t blocks = matrix.cols / quantBlockSize;
    const int64_t block = row / panelRows * blocks + column / quantBlockSize;
    const double scale = bf16At(matrix.scales, size_t(block * panelRows + row % panelRows));
    return scale * double(quantAt(matrix, row, column));
  }
  float value;
  memcpy(&value, matrix.data + 4 * index, sizeof value);
  return value;
}

void checkAgainstSums(const Case& c, const Matrix& matrix, const std::vector<float>& x,
                      const std::vector<float>& out) {
  for (int64_t t = 0; t < c.activationRows; t++) {
    const std::vector<double> row = roundedRow(c.format, x.data() + t * c.width, c.width);
    for (int64_t n = 0; n < c.weightRows; n++) {
      double sum = 0, magnitude = 0;
      for (int64_t i = 0; i < c.width; i++) {
        const double term = weightAt(matrix, n, i) * row[size_t(i)];
        sum += term;
        magnitude += fabs(term);
      }
      // An accumulator adds width / 16 rounded terms (quantised: one for each of width / 32
      // blocks); 2^-23 covers a term and its partial sum.
      const double bound = magnitude * ldexp(1, -23) * (double(c.width) / 16 + 8);
      const double error = fabs(sum - double(out[size_t(t * c.weightRows + n)]));
      check(error <= bound, describe(c, "portable") + " is the sum within its bound");
    }
  }
}

void runCase(Random& random, const Case& c) {
  const size_t elements = storedElements(c.format, c.weightRows, c.width);
  OddBytes data(elementBytes(c.format, elements));
  fillElements(random, c.format, data.data(), elements);
  const size_t numScales = storedScales(c.format, c.weightRows, c.width);
  OddBytes scales(numScales * 2);
  fillElements(random, Format::bf16, scales.data(), numScales);
  const Matrix matrix = {c.format, c.weightRows, c.width, data.data(),
                         numScales > 0 ? scales.data() : nullptr};
  const std::vector<float> x = randomReals(random, size_t(c.activationRows * c.width));
  const std::vector<float> expected = multiplyWith(kernelsPortable(), matrix, x, c.activationRows);
  checkAgainstSums(c, matrix, x, expected);
  for (const KernelTable* kernels : supportedKernels()) {
    const std::vector<float> found = multiplyWith(*kernels, matrix, x, c.activationRows);
    checkSameBits(found, expected, describe(c, kernels->name) + " equals portable");
    // Row by row, as decode would.
    for (int64_t t = 0; t < c.activationRows; t++) {
      const std::vector<float> one(x.begin() + t * c.width, x.begin() + (t + 1) * c.width);
      const auto from = expected.begin() + t * c.weightRows;
      checkSameBits(multiplyWith(*kernels, matrix, one, 1),
                    std::vector<float>(from, from + c.weightRows),
                    describe(c, kernels->name) + " equals each row alone");
    }
  }
}

}  // namespace

void testMultiply() {
  Random random(1);
  const std::vector<int64_t> denseWidths = {1, 15, 16, 17, 31, 100, 2047, 2049, 4100};
  const std::vector<int64_t> blockWidths = {32, 64, 96, 512, 544, 2048, 2080, 4128};
  for (const Format format : allFormats) {
    for (const int64_t width : isQuantised(format) ? blockWidths : denseWidths) {
      for (const int64_t rows : {1, 2, 3, 4, 5, 6, 7, 13, 24, 25, 49}) {
        runCase(random, {format, width, width > 2000 ? 5 : 67, rows});
        // One, two and three panels, whole and not.
        if (width == 96) {
          for (const int64_t weightRows : {1, 16, 17, 31, 32, 48, 64}) {
            runCase(random, {format, width, weightRows, rows});
          }
        }
        if (width > 2000 && rows > 7) break;  // enough of what takes long under the sanitizers
      }
    }
    // More than one pass over the columns, and more than one block of activation rows.
    runCase(random, {format, 4128, 9, 26});
  }
}

}  // namespace octet::selftest
