// Memory for kernels: cache-line aligned, not initialised, kept and grown between calls.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <new>
#include <utility>

namespace octet {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes) { reserve(bytes); }
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { release(); }

  // Makes room for `bytes`; what was in it is lost if it has to grow.
  void reserve(size_t bytes) {
    if (bytes <= size_) return;
    release();
    data_ = static_cast<uint8_t*>(::operator new(bytes, alignment));
    size_ = bytes;
  }

  uint8_t* bytes() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }

 private:
  static constexpr std::align_val_t alignment{64};

  void swap(AlignedBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  void release() {
    if (data_ != nullptr) ::operator delete(data_, alignment);
    data_ = nullptr;
    size_ = 0;
  }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace octet
