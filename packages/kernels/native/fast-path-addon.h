// FastPath for JavaScript: see src/cpu/native-addon.ts for its face there.
#pragma once

#include <napi.h>

#include <memory>

#include "fast-path.h"

namespace octet {

class FastPathAddon : public Napi::ObjectWrap<FastPathAddon> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FastPathAddon(const Napi::CallbackInfo& info);
  ~FastPathAddon() override;

 private:
  static void callJs(Napi::Env env, Napi::Function onReturned, std::nullptr_t*,
                     ReturnedSocket* socket);
  using Channel = Napi::TypedThreadSafeFunction<std::nullptr_t, ReturnedSocket, callJs>;

  Napi::Value lend(const Napi::CallbackInfo& info);
  Napi::Value askBack(const Napi::CallbackInfo& info);
  Napi::Value wasActive(const Napi::CallbackInfo& info);
  Napi::Value takeAnswered(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  static void onEnvironmentExit(void* addon);
  void shutDown();

  Napi::Env env_;
  Napi::ObjectReference engine_;  // which it computes with, and must outlive
  Channel channel_;
  std::unique_ptr<FastPath> path_;
};

}  // namespace octet
