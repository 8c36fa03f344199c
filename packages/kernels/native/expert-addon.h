// ExpertEngine for JavaScript: see src/cpu/native-addon.ts for its face there.
#pragma once

#include <napi.h>

#include <memory>

#include "async-host.h"
#include "expert-engine.h"

namespace octet {

class ExpertAddon : public Napi::ObjectWrap<ExpertAddon> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ExpertAddon(const Napi::CallbackInfo& info);

  // Until `close`.
  ExpertEngine& engine() { return *engine_; }
  Runner& runner() { return host_->runner(); }

 private:
  void open(Napi::Env env, const Napi::Object& options);
  Napi::Value forward(const Napi::CallbackInfo& info);
  Napi::Value populate(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  // The host joins the threads that use the engine, so it is the first to go.
  std::unique_ptr<ExpertEngine> engine_;
  std::unique_ptr<AsyncHost> host_;
};

}  // namespace octet
