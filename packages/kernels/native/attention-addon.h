// AttentionEngine for JavaScript: see src/cpu/native-addon.ts for its face there.
#pragma once

#include <napi.h>

#include <memory>

#include "async-host.h"
#include "attention-engine.h"

namespace octet {

class AttentionAddon : public Napi::ObjectWrap<AttentionAddon> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit AttentionAddon(const Napi::CallbackInfo& info);

 private:
  void open(Napi::Env env, const Napi::Object& options);
  Napi::Value openStep(const Napi::CallbackInfo& info);
  Napi::Value runLayer(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);
  Napi::Value populate(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value kvBytes(const Napi::CallbackInfo& info);

  ExpertReplies readReplies(const Napi::Value& previous) const;

  size_t numExperts_ = 0;
  size_t kvBytes_ = 0;
  // The host joins the threads that use the engine, so it is the first to go.
  std::unique_ptr<AttentionEngine> engine_;
  std::unique_ptr<AsyncHost> host_;
};

}  // namespace octet
