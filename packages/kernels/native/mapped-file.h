// A weight file, mapped read-only: weights are computed from where they lie, never copied.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <string>

namespace octet {

class MappedFile {
 public:
  // Throws Failure "bad-weights" if the file cannot be mapped or is not `expectedBytes` long.
  MappedFile(const std::string& path, size_t expectedBytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Has every page of the file mapped before it is first read, where the system can be asked to:
  // a fault for every few pages makes first reads several times slower. Stops once told to.
  void populate(const std::function<bool()>& stop) const;

  const uint8_t* at(size_t offset) const { return data_ + offset; }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace octet
