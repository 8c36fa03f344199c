// A failure that the caller is told of by code: a KernelErrorCode of src/kernel-error.ts, or
// "non-finite-reply", a "non-finite" that left the step as it was.
#pragma once

#include <stdexcept>
#include <string>

namespace octet {

class Failure : public std::runtime_error {
 public:
  Failure(const char* code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

}  // namespace octet
