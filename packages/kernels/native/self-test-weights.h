// Weights for engines under test.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "mapped-file.h"
#include "self-test.h"

namespace octet::selftest {

// A file of random elements, laid out as they are asked for; deleted at the end.
class RandomFile {
 public:
  RandomFile() {
    const int fd = mkstemp(path_);
    check(fd >= 0, "a temporary file can be made");
    close(fd);
  }
  ~RandomFile() { unlink(path_); }

  // Offsets of elements and scales. Every tensor starts at an odd offset.
  std::pair<size_t, size_t> add(Format format, int64_t rows, int64_t cols, float scale) {
    const size_t elements = addElements(format, storedElements(format, rows, cols), scale);
    const size_t numScales = storedScales(format, rows, cols);
    const float ofQuant = scale / (format == Format::q4 ? 8 : 128);
    return {elements, numScales > 0 ? addElements(Format::bf16, numScales, ofQuant) : 0};
  }

  std::unique_ptr<MappedFile> map() {
    FILE* file = fopen(path_, "wb");
    check(file != nullptr && fwrite(bytes_.data(), 1, bytes_.size(), file) == bytes_.size() &&
              fclose(file) == 0,
          "the temporary file can be written");
    return std::make_unique<MappedFile>(path_, bytes_.size());
  }

 private:
  size_t addElements(Format format, size_t count, float scale) {
    bytes_.resize(bytes_.size() | 1);
    const size_t offset = bytes_.size();
    bytes_.resize(offset + elementBytes(format, count));
    uint8_t* to = bytes_.data() + offset;
    fillElements(random_, format, to, count);
    for (size_t i = 0; i < count && !isQuantised(format); i++) {
      if (format == Format::f16) {
        uint16_t bits;
        memcpy(&bits, to + 2 * i, 2);
        bits &= 0xb3ffu;  // below a quarter
        memcpy(to + 2 * i, &bits, 2);
        continue;
      }
      float value = bf16At(to, format == Format::f32 ? 2 * i + 1 : i) * scale;
      if (format == Format::f32) memcpy(to + 4 * i, &value, 4);
      else memcpy(to + 2 * i, reinterpret_cast<char*>(&value) + 2, 2);
    }
    return offset;
  }

  char path_[32] = "/tmp/octet-self-test-XXXXXX";
  std::vector<uint8_t> bytes_;
  Random random_{4};
};

}  // namespace octet::selftest
