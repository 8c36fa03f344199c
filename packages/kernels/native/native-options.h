// Reads what the TypeScript wrapper passes; it has checked everything already.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "cpu-isa.h"
#include "failure.h"
#include "mapped-file.h"
#include "row-format.h"

namespace octet {

inline int64_t readInteger(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Int64Value();
}

inline double readDouble(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().DoubleValue();
}

inline std::string readString(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::String>().Utf8Value();
}

// "f32", "f16", "bf16", "q8" or "q4".
inline Format readFormat(const Napi::Object& options, const char* name) {
  const std::string format = readString(options, name);
  if (format == "f32") return Format::f32;
  if (format == "f16") return Format::f16;
  if (format == "bf16") return Format::bf16;
  return format == "q8" ? Format::q8 : Format::q4;
}

inline const KernelTable& readKernels(const Napi::Object& options) {
  const std::string isa = readString(options, "isa");
  for (const KernelTable* table : supportedKernels()) {
    if (isa == table->name) return *table;
  }
  throw Failure("unsupported", "this machine has no " + isa);
}

inline std::unique_ptr<MappedFile> readFile(const Napi::Object& options) {
  return std::make_unique<MappedFile>(readString(options, "path"),
                                      size_t(readInteger(options, "sizeBytes")));
}

// Takes tensors from a list of byte offsets, in the order the wrapper put them there.
class TensorReader {
 public:
  TensorReader(const MappedFile& file, const double* offsets) : file_(file), next_(offsets) {}

  const uint8_t* vector() { return file_.at(size_t(*next_++)); }
  // Two offsets: elements, then scales (ignored unless quantised).
  Matrix matrix(Format format, int64_t rows, int64_t cols) {
    const uint8_t* data = vector();
    const uint8_t* scales = vector();
    return {format, rows, cols, data, isQuantised(format) ? scales : nullptr};
  }
  // What is still to be taken.
  const double* left() const { return next_; }

 private:
  const MappedFile& file_;
  const double* next_;
};

}  // namespace octet
