// Checks of the kernels and engines without Node, for the sanitizers: every buffer is exactly as
// large as its shape and starts at an odd address where one may.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>
#include <vector>

#include "kernel-table.h"
#include "row-format.h"

namespace octet::selftest {

// A small generator with the same numbers everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return uint32_t(state_ >> 33);
  }
  // In [-1, 1).
  float real() { return float(int32_t(next() & 0xffffffu) - 0x800000) / float(0x800000); }

 private:
  uint64_t state_;
};

// Bytes on the heap that start at an odd address; the end is the end of the allocation.
class OddBytes {
 public:
  explicit OddBytes(size_t bytes) : memory_(bytes + 1) {}
  uint8_t* data() { return memory_.data() + 1; }
  size_t size() const { return memory_.size() - 1; }

 private:
  std::vector<uint8_t> memory_;
};

inline std::vector<float> randomReals(Random& random, size_t count) {
  std::vector<float> values(count);
  for (float& value : values) value = random.real();
  return values;
}

// Every way a matrix may be stored.
inline const std::vector<Format> allFormats = {Format::f32, Format::f16, Format::bf16, Format::q8,
                                               Format::q4};

// Elements of a matrix in its format: f32 and bf16 in [-1, 1), f16 below 2 of every size, bytes of
// quants of any value.
inline void fillElements(Random& random, Format format, uint8_t* to, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float value = random.real();
    if (format == Format::f32) memcpy(to + 4 * i, &value, 4);
    if (format == Format::bf16) memcpy(to + 2 * i, reinterpret_cast<const char*>(&value) + 2, 2);
    if (format == Format::f16) {
      const uint16_t bits = uint16_t(random.next()) & 0xbfffu;
      memcpy(to + 2 * i, &bits, 2);
    }
    if (isQuantised(format)) to[i] = uint8_t(random.next());
  }
}

inline size_t elementBytes(Format format, size_t count) {
  return count * (format == Format::f32 ? 4 : isQuantised(format) ? 1 : 2);
}

// How many elements fillElements fills for a matrix: for quantised ones bytes, whole panels.
inline size_t storedElements(Format format, int64_t rows, int64_t cols) {
  if (!isQuantised(format)) return size_t(rows * cols);
  const int64_t padded = (rows + panelRows - 1) / panelRows * panelRows;
  return size_t(padded * cols / (format == Format::q4 ? 2 : 1));
}

inline size_t storedScales(Format format, int64_t rows, int64_t cols) {
  if (!isQuantised(format)) return 0;
  return size_t((rows + panelRows - 1) / panelRows * panelRows * cols / quantBlockSize);
}

inline float f16At(const uint8_t* from, size_t index) {
  uint16_t half;
  memcpy(&half, from + 2 * index, sizeof half);
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float size = exponent == 0 ? ldexpf(float(fraction), -24)
                                   : ldexpf(float(1024 + fraction), exponent - 25);
  return half & 0x8000 ? -size : size;
}

inline float bf16At(const uint8_t* from, size_t index) {
  uint16_t half;
  memcpy(&half, from + 2 * index, sizeof half);
  const uint32_t bits = uint32_t(half) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

inline void check(bool held, const std::string& rule) {
  if (held) return;
  fprintf(stderr, "self-test: does not hold: %s\n", rule.c_str());
  exit(1);
}

template <class T>
void checkSameBits(const std::vector<T>& a, const std::vector<T>& b, const std::string& rule) {
  check(a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0, rule);
}

void testMultiply();
void testRows();
void testAttend();
void testThreadPool();
void testFairMutex();
void testExpertEngine();
void testAttentionEngine();
void testWire();
void testOddCalls();
void testWireFuzz();
void testWakePipe();
void testFastPath();
void testLoans();

}  // namespace octet::selftest
