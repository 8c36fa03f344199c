// f32 rows to their travelling form.
#pragma once

#include "prepare.h"

namespace octet::OCTET_ISA {

// False if a value, as written, is not finite.
template <class Elements>
static bool encodeDense(const float* x, int64_t count, uint8_t* out) {
  Vec16 notFinite = broadcast(0.0f);
  const Vec16 zero = broadcast(0.0f);
  for (int64_t i = 0; i < count; i += 16) {
    uint8_t* to = out + i * Elements::bytes;
    const int64_t left = count - i;
    if (left >= 16) {
      Elements::write(to, load(x + i));
      notFinite = fma(Elements::read(to), zero, notFinite);
    } else {
      Elements::writePart(to, loadPart(x + i, left), left);
      notFinite = fma(Elements::readPart(to, left), zero, notFinite);
    }
  }
  return reduceAdd(notFinite) == 0.0f;
}

static bool encodeFinite(Format format, const float* x, int64_t count, uint8_t* out) {
  return format == Format::bf16 ? encodeDense<Bf16Elements>(x, count, out)
                                : encodeDense<F32Elements>(x, count, out);
}

static void encodeQuants(const float* x, int64_t width, uint8_t* out) {
  for (int64_t at = 0; at < width; at += quantBlockSize) {
    int8_t quants[quantBlockSize];
    const float scale = quantiseBlock(x + at, quants);
    memcpy(out + at, quants, sizeof quants);
    memcpy(out + width + at / quantBlockSize * 4, &scale, sizeof scale);
  }
}

static void encode(Format format, const float* x, int64_t width, uint8_t* out) {
  if (isQuantised(format)) encodeQuants(x, width, out);
  else encodeFinite(format, x, width, out);
}

}  // namespace octet::OCTET_ISA
