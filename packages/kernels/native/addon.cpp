// The addon's entry: what JavaScript sees is typed in src/cpu/native-addon.ts.
#include <napi.h>

#include "attention-addon.h"
#include "cpu-isa.h"
#include "expert-addon.h"
#include "fast-path-addon.h"
#include "free-memory.h"

namespace octet {

namespace {

// isas(): the kernel builds this machine can run, fastest first.
Napi::Value listIsas(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const KernelTable* table : supportedKernels()) {
    names.Set(names.Length(), Napi::String::New(info.Env(), table->name));
  }
  return names;
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  returnLargeBuffers();
  exports.Set("isas", Napi::Function::New<listIsas>(env));
  exports.Set("ExpertEngine", ExpertAddon::define(env));
  exports.Set("FastPath", FastPathAddon::define(env));
  exports.Set("AttentionEngine", AttentionAddon::define(env));
  return exports;
}

}  // namespace

}  // namespace octet

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  return octet::initialise(env, exports);
}

NODE_API_MODULE(octet, initialise)
