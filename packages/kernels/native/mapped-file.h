// A weight file, mapped read-only: weights are computed from where they lie, never copied.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>

namespace octet {

class MappedFile {
 public:
  // Throws Failure "bad-weights" if the file cannot be mapped or is not `expectedBytes` long.
  MappedFile(const std::string& path, size_t expectedBytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* at(size_t offset) const { return data_ + offset; }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace octet
