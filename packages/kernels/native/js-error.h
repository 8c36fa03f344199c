// Failures as JavaScript errors: an Error with the failure's code, if it has one, as `code`.
#pragma once

#include <napi.h>

#include <string>

#include "failure.h"

namespace octet {

inline Napi::Error toJsError(Napi::Env env, const std::string& code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  if (!code.empty()) error.Set("code", code);
  return error;
}

// Runs `body`; a Failure leaves it as a JavaScript error.
template <class Body>
auto withJsErrors(Napi::Env env, const Body& body) {
  try {
    return body();
  } catch (const Failure& failure) {
    throw toJsError(env, failure.code(), failure.what());
  }
}

}  // namespace octet
