#include "kv-cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <string>

#include "failure.h"
#include "row-format.h"

namespace octet {

namespace {

int64_t wholeLanes(int64_t count) { return (count + kvLanes - 1) / kvLanes * kvLanes; }

}  // namespace

KvCache::KvCache(const KvShape& shape)
    : shape_(shape),
      slotStride_(wholeLanes(shape.blockSize)),
      headStride_(wholeLanes(shape.headDim)),
      blockBytes_(size_t(rowBytes(shape.format, slotStride_ * headStride_))),
      bytes_(size_t(2 * shape.numLayers * shape.numKeyValueHeads * shape.numBlocks) *
             blockBytes_) {
  // Anonymous memory is zero, and takes no room until it is written.
  void* data =
      mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    throw Failure("unsupported", "no " + std::to_string(bytes_) +
                                     " bytes of memory for the KV cache: " + strerror(errno));
  }
  data_ = static_cast<uint8_t*>(data);
}

KvCache::~KvCache() { munmap(data_, bytes_); }

KvHead KvCache::head(int64_t layer, int64_t head) const {
  const size_t headBytes = size_t(shape_.numBlocks) * blockBytes_;
  const size_t heads = size_t(shape_.numKeyValueHeads);
  KvHead kv = {};
  kv.format = shape_.format;
  kv.keys = data_ + (2 * size_t(layer) * heads + size_t(head)) * headBytes;
  kv.values = kv.keys + heads * headBytes;
  kv.blockBytes = blockBytes_;
  kv.blockSize = shape_.blockSize;
  kv.slotStride = slotStride_;
  kv.headDim = shape_.headDim;
  kv.headStride = headStride_;
  return kv;
}

}  // namespace octet
