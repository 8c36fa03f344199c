#include "kv-cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <string>

#include "failure.h"
#include "row-format.h"

namespace octet {

KvCache::KvCache(const KvShape& shape)
    : shape_(shape),
      headStride_((shape.headDim + 15) / 16 * 16),
      rowBytes_(size_t(rowBytes(shape.format, headStride_))),
      blockBytes_(size_t(shape.numKeyValueHeads * shape.blockSize) * rowBytes_),
      bytes_(size_t(2 * shape.numLayers * shape.numBlocks) * blockBytes_) {
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

}  // namespace octet
