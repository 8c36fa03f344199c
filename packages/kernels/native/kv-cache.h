// The paged KV cache: [layer][keys, values][block][KV head][slot][headStride], f32 or bf16.
// headStride is headDim rounded up to 16; the padding is zero and never written.
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
  int64_t headDim;
};

class KvCache {
 public:
  // Throws Failure "unsupported" if the memory cannot be had.
  explicit KvCache(const KvShape& shape);
  ~KvCache();
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;

  const KvShape& shape() const { return shape_; }
  int64_t headStride() const { return headStride_; }
  size_t blockBytes() const { return blockBytes_; }
  size_t bytes() const { return bytes_; }

  // A head's slot 0 in block 0 of a layer.
  uint8_t* keys(int64_t layer, int64_t head) const { return plane(2 * layer, head); }
  uint8_t* values(int64_t layer, int64_t head) const { return plane(2 * layer + 1, head); }

  // From slot 0 of block 0, in any plane: where a token's row is.
  size_t rowOffset(int64_t block, int64_t slot) const {
    return size_t(block) * blockBytes_ + size_t(slot) * rowBytes_;
  }

 private:
  uint8_t* plane(int64_t index, int64_t head) const {
    return data_ + size_t(index) * size_t(shape_.numBlocks) * blockBytes_ +
           size_t(head * shape_.blockSize) * rowBytes_;
  }

  KvShape shape_;
  int64_t headStride_;
  size_t rowBytes_;
  size_t blockBytes_;
  size_t bytes_;
  uint8_t* data_;
};

}  // namespace octet
