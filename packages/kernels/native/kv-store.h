// A token's queries, keys and values on their way to attention: turned by their position, and
// written to the cache.
#pragma once

#include "kv-layout.h"

namespace octet::OCTET_ISA {

// a cos - b sin, b cos + a sin: each product rounded, as Hugging Face transformers computes it
// (modeling_mixtral.py, apply_rotary_pos_emb).
static void rotate(const float* cosSin, int64_t headDim, const float* head, float* out) {
  const int64_t half = headDim / 2;
  for (int64_t i = 0; i < half; i += 16) {
    const int64_t left = half - i;
    const bool whole = left >= 16;
    const auto read = [&](const float* from) {
      return whole ? load(from + i) : loadPart(from + i, left);
    };
    const Vec16 a = read(head), b = read(head + half);
    const Vec16 cosine = read(cosSin), sine = read(cosSin + half);
    const Vec16 lower = sub(mul(a, cosine), mul(b, sine));
    const Vec16 upper = add(mul(b, cosine), mul(a, sine));
    if (whole) {
      store(out + i, lower);
      store(out + half + i, upper);
    } else {
      storePart(out + i, lower, left);
      storePart(out + half + i, upper, left);
    }
  }
}

// Calls write(dim, element) for every dimension, in the cache's format.
template <class Column, class Write>
OCTET_INLINE void forEachRounded(const float* row, int64_t headDim, const Write& write) {
  for (int64_t dim = 0; dim < headDim; dim += 16) {
    const int64_t left = headDim - dim, count = left < 16 ? left : 16;
    uint8_t rounded[16 * Column::bytes];
    Column::round(count == 16 ? load(row + dim) : loadPart(row + dim, count), rounded);
    for (int64_t i = 0; i < count; i++) write(dim + i, rounded + i * Column::bytes);
  }
}

template <class Column>
static void storeKeyIn(const KvHead& kv, const float* key, uint8_t* block, int64_t slot) {
  uint8_t* column = block + slot / kvLanes * kv.headDim * kvLanes * Column::bytes;
  forEachRounded<Column>(key, kv.headDim, [&](int64_t dim, const uint8_t* element) {
    memcpy(column + Column::at(slot % kvLanes, dim), element, Column::bytes);
  });
}

template <class Column>
static void storeValueIn(const KvHead& kv, const float* value, uint8_t* block, int64_t slot) {
  const int64_t columnBytes = kv.slotStride * kvLanes * Column::bytes;
  forEachRounded<Column>(value, kv.headDim, [&](int64_t dim, const uint8_t* element) {
    uint8_t* column = block + dim / kvLanes * columnBytes;
    memcpy(column + Column::at(dim % kvLanes, slot), element, Column::bytes);
  });
}

static void storeKey(const KvHead& kv, const float* key, int64_t block, int64_t slot) {
  uint8_t* to = kv.keys + size_t(block) * kv.blockBytes;
  if (kv.format == Format::f32) storeKeyIn<F32Column>(kv, key, to, slot);
  else storeKeyIn<Bf16Column>(kv, key, to, slot);
}

static void storeValue(const KvHead& kv, const float* value, int64_t block, int64_t slot) {
  uint8_t* to = kv.values + size_t(block) * kv.blockBytes;
  if (kv.format == Format::f32) storeValueIn<F32Column>(kv, value, to, slot);
  else storeValueIn<Bf16Column>(kv, value, to, slot);
}

}  // namespace octet::OCTET_ISA
