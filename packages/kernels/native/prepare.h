// Activation rows: from f32 to the form that `multiply` reads, and to and from the travelling form.
//
// For q8 and q4 weights a row travels as H signed bytes, then H / 32 little-endian f32 scales
// (amax / 127).
#pragma once

#include "dense-rows.h"
#include "quant-block.h"

namespace octet::OCTET_ISA {

// Adding this rounds an f32 of magnitude below 2^22 to the nearest integer, ties to even, and
// leaves that integer in the low bits.
constexpr float roundingBias = 12582912.0f;  // 1.5 × 2^23

// Quantises 32 values and returns their scale: 0 for a block of zeros (or of values so small that
// 127 / amax overflows), NaN for one with a value that is not finite, so that it shows in the end.
OCTET_INLINE float quantiseBlock(const float* x, int8_t* quants) {
  const Vec16 a = load(x), b = load(x + 16), zero = broadcast(0.0f);
  const float notFinite = reduceAdd(add(mul(a, zero), mul(b, zero)));
  const float amax = reduceMax(max(abs(a), abs(b)));
  const float inverse = 127.0f / amax;
  memset(quants, 0, size_t(quantBlockSize));
  if (!(notFinite == 0.0f)) return NAN;
  if (!(amax > 0.0f && inverse <= 3.4028234e38f)) return 0.0f;
  uint32_t bits[32];
  float biased[32];
  const Vec16 factor = broadcast(inverse), bias = broadcast(roundingBias);
  store(biased, add(mul(a, factor), bias));
  store(biased + 16, add(mul(b, factor), bias));
  memcpy(bits, biased, sizeof bits);
  for (int i = 0; i < 32; i++) quants[i] = int8_t(bits[i] & 0xffu);
  return amax / 127.0f;
}

static size_t preparedBytes(Format format, int64_t width) {
  const int64_t bytes = isQuantised(format)
                            ? width / quantBlockSize * int64_t(sizeof(QuantBlock))
                            : (width + 15) / 16 * 16 * int64_t(sizeof(float));
  // A cache line between rows keeps rows of a power of two apart in the cache's sets.
  return size_t((bytes + 63) / 64 * 64 + 64);
}

OCTET_INLINE int32_t correctionOf(const int8_t* quants, Format format) {
  int32_t sum = 0;
  for (int i = 0; i < quantBlockSize; i++) sum += quants[i];
  return -weightBias(format) * sum;
}

static void prepareQuantised(Format format, const float* x, RowRange columns, uint8_t* out) {
  QuantBlock* blocks = reinterpret_cast<QuantBlock*>(out);
  for (int64_t at = columns.begin; at < columns.end; at += quantBlockSize) {
    QuantBlock& block = blocks[at / quantBlockSize];
    block.scale = quantiseBlock(x + (at - columns.begin), block.quants);
    block.correction = correctionOf(block.quants, format);
  }
}

template <class Elements>
static void prepareDense(const float* x, int64_t width, RowRange columns, uint8_t* out) {
  float* to = reinterpret_cast<float*>(out) + columns.begin;
  const int64_t count = columns.end - columns.begin;
  const int64_t padded = columns.end == width ? (count + 15) / 16 * 16 : count;
  for (int64_t i = 0; i < padded; i += 16) {
    const Vec16 a = i + 16 <= count ? load(x + i) : loadPart(x + i, count - i);
    uint8_t rounded[16 * Elements::bytes];
    Elements::write(rounded, a);
    store(to + i, Elements::read(rounded));
  }
}

static void prepare(Format format, const float* x, int64_t width, RowRange columns, uint8_t* out) {
  switch (format) {
    case Format::f32:
    case Format::f16:
      return prepareDense<F32Elements>(x, width, columns, out);
    case Format::bf16:
      return prepareDense<Bf16Elements>(x, width, columns, out);
    case Format::q8:
    case Format::q4:
      return prepareQuantised(format, x, columns, out);
  }
}

template <class Elements>
static void prepareEncodedDense(const uint8_t* encoded, int64_t width, uint8_t* out) {
  float* to = reinterpret_cast<float*>(out);
  for (int64_t i = 0; i < width; i += 16) {
    const uint8_t* from = encoded + i * Elements::bytes;
    const int64_t left = width - i;
    store(to + i, left >= 16 ? Elements::read(from) : Elements::readPart(from, left));
  }
}

static void prepareEncodedQuants(Format format, const uint8_t* encoded, int64_t width,
                                 uint8_t* out) {
  QuantBlock* blocks = reinterpret_cast<QuantBlock*>(out);
  const uint8_t* scales = encoded + width;
  for (int64_t at = 0; at < width; at += quantBlockSize, blocks++, scales += sizeof(float)) {
    memcpy(blocks->quants, encoded + at, sizeof blocks->quants);
    memcpy(&blocks->scale, scales, sizeof blocks->scale);
    blocks->correction = correctionOf(blocks->quants, format);
  }
}

static void prepareEncoded(Format format, const uint8_t* encoded, int64_t width, uint8_t* out) {
  switch (format) {
    case Format::f32:
    case Format::f16:
      return prepareEncodedDense<F32Elements>(encoded, width, out);
    case Format::bf16:
      return prepareEncodedDense<Bf16Elements>(encoded, width, out);
    case Format::q8:
    case Format::q4:
      return prepareEncodedQuants(format, encoded, width, out);
  }
}

}  // namespace octet::OCTET_ISA
