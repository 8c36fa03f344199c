// The paged KV cache: [layer][keys, values][KV head][block], f32 or bf16. A head's blocks lie next
// to each other, so that a sequence whose blocks do is read as one stream. What lies in a block is
// the kernels' affair: kv-layout.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel-table.h"

namespace octet {

struct KvShape {
  Format format;  // f32 or bf16
  int64_t numLayers;
  int64_t numBlocks;
  int64_t numKeyValueHeads;
  int64_t blockSize;  // tokens
  int64_t headDim;    // even
};

class KvCache {
 public:
  // Throws Failure "unsupported" if the memory cannot be had.
  explicit KvCache(const KvShape& shape);
  ~KvCache();
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;

  const KvShape& shape() const { return shape_; }
  size_t bytes() const { return bytes_; }
  int64_t headStride() const { return headStride_; }

  KvHead head(int64_t layer, int64_t head) const;

 private:
  KvShape shape_;
  int64_t slotStride_;
  int64_t headStride_;
  size_t blockBytes_;  // one KV head's keys or values
  size_t bytes_;
  uint8_t* data_;
};

}  // namespace octet
