#include "mapped-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

namespace octet {

namespace {

// Closes the descriptor however the constructor ends; the mapping outlives it.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Failure("bad-weights", path + ": " + what);
}

}  // namespace

MappedFile::MappedFile(const std::string& path, size_t expectedBytes) : size_(expectedBytes) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) fail(path, std::string("cannot be opened: ") + strerror(errno));
  struct stat status;
  if (fstat(file.fd, &status) != 0) fail(path, std::string("has no size: ") + strerror(errno));
  const size_t found = size_t(status.st_size);
  if (found != expectedBytes || found == 0) {
    fail(path, "expected " + std::to_string(expectedBytes) + " bytes, found " +
                   std::to_string(found));
  }
  void* data = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) fail(path, std::string("cannot be mapped: ") + strerror(errno));
  data_ = static_cast<const uint8_t*>(data);
}

void MappedFile::populate(const std::function<bool()>& stop) const {
#if defined(MADV_POPULATE_READ)
  constexpr size_t bytesAtOnce = size_t(64) << 20;
  for (size_t done = 0; done < size_ && !stop(); done += bytesAtOnce) {
    const size_t bytes = size_ - done < bytesAtOnce ? size_ - done : bytesAtOnce;
    // A system older than its headers refuses: pages then come one by one, as they are read.
    if (madvise(const_cast<uint8_t*>(data_) + done, bytes, MADV_POPULATE_READ) != 0) return;
  }
#else
  (void)stop;
#endif
}

MappedFile::~MappedFile() { munmap(const_cast<uint8_t*>(data_), size_); }

}  // namespace octet
