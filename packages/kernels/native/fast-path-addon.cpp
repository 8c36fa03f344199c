// FastPath for JavaScript.
#include "fast-path-addon.h"

#include <utility>

#include "expert-addon.h"
#include "js-error.h"
#include "native-options.h"

namespace octet {

namespace {

CallShape readShape(const Napi::Object& options) {
  CallShape shape = {};
  shape.weights = readFormat(options, "format");
  shape.width = readInteger(options, "hiddenSize");
  shape.rowsMax = readInteger(options, "rowsMax");
  shape.numLayers = uint32_t(readInteger(options, "numLayers"));
  const Napi::Array expertIds = options.Get("expertIds").As<Napi::Array>();
  for (uint32_t i = 0; i < expertIds.Length(); i++) {
    shape.expertIds.push_back(expertIds.Get(i).As<Napi::Number>().Uint32Value());
  }
  return shape;
}

SocketLoan readLoan(const Napi::Object& loan) {
  return {int(readInteger(loan, "fd")), uint32_t(readInteger(loan, "streamId")),
          size_t(readInteger(loan, "frameBytesMax")), size_t(readInteger(loan, "receiveBytesMax")),
          size_t(readInteger(loan, "sendBytesMax"))};
}

}  // namespace

Napi::Function FastPathAddon::define(Napi::Env env) {
  return DefineClass(env, "NativeFastPath",
                     {InstanceMethod<&FastPathAddon::lend>("lend"),
                      InstanceMethod<&FastPathAddon::askBack>("askBack"),
                      InstanceMethod<&FastPathAddon::wasActive>("wasActive"),
                      InstanceMethod<&FastPathAddon::takeAnswered>("takeAnswered"),
                      InstanceMethod<&FastPathAddon::close>("close")});
}

// (engine: NativeExpertEngine, options: format, hiddenSize, rowsMax, numLayers, expertIds,
//  onReturned)
FastPathAddon::FastPathAddon(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FastPathAddon>(info),
      env_(info.Env()),
      engine_(Napi::Persistent(info[0].As<Napi::Object>())),
      channel_(Channel::New(info.Env(), info[2].As<Napi::Function>(), "octet fast path", 0, 1)) {
  channel_.Unref(info.Env());
  ExpertAddon& engine = *ExpertAddon::Unwrap(engine_.Value());
  const auto tell = [this](std::unique_ptr<ReturnedSocket> socket) {
    // Fails only once the environment is going down, and then nobody is left to tell.
    ReturnedSocket* const returned = socket.release();
    if (channel_.NonBlockingCall(returned) != napi_ok) delete returned;
  };
  try {
    withJsErrors(info.Env(), [&] {
      path_ = std::make_unique<FastPath>(engine.engine(), engine.runner(),
                                         readShape(info[1].As<Napi::Object>()), tell);
    });
  } catch (...) {
    channel_.Release();
    throw;
  }
  // Hooks run last come first: the threads that it computes with are still there at ours.
  napi_add_env_cleanup_hook(env_, onEnvironmentExit, this);
}

FastPathAddon::~FastPathAddon() { shutDown(); }

void FastPathAddon::callJs(Napi::Env env, Napi::Function onReturned, std::nullptr_t*,
                           ReturnedSocket* socket) {
  const std::unique_ptr<ReturnedSocket> owned(socket);
  if (static_cast<napi_env>(env) == nullptr) return;
  const auto bytes = Napi::Buffer<uint8_t>::Copy(env, owned->unread.data(), owned->unread.size());
  onReturned.Call({Napi::Number::New(env, owned->id), bytes,
                   Napi::Number::New(env, double(owned->receivedBytes)),
                   Napi::Number::New(env, double(owned->sentBytes)),
                   Napi::Boolean::New(env, owned->isBroken)});
}

// lend({ fd, streamId, frameBytesMax, receiveBytesMax, sendBytesMax }): the loan's id
Napi::Value FastPathAddon::lend(const Napi::CallbackInfo& info) {
  const SocketLoan loan = readLoan(info[0].As<Napi::Object>());
  return withJsErrors(info.Env(), [&] {
    if (path_ == nullptr) throw Failure("closed", "the fast path was closed");
    return Napi::Number::New(info.Env(), path_->lend(loan));
  });
}

// askBack(id, atOnce)
Napi::Value FastPathAddon::askBack(const Napi::CallbackInfo& info) {
  const uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  if (path_ != nullptr) path_->askBack(id, info[1].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

// wasActive(id): boolean
Napi::Value FastPathAddon::wasActive(const Napi::CallbackInfo& info) {
  const uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  return Napi::Boolean::New(info.Env(), path_ != nullptr && path_->wasActive(id));
}

// takeAnswered(): Float64Array of expert, rows, µs queued, µs computed, for each call
Napi::Value FastPathAddon::takeAnswered(const Napi::CallbackInfo& info) {
  std::vector<AnsweredCall> calls;
  if (path_ != nullptr) calls = path_->takeAnswered();
  constexpr size_t fields = 4;
  Napi::Float64Array to = Napi::Float64Array::New(info.Env(), fields * calls.size());
  double* next = to.Data();
  for (const AnsweredCall& call : calls) {
    *next++ = call.expertId;
    *next++ = double(call.rows);
    *next++ = call.queuedUs;
    *next++ = call.computedUs;
  }
  return to;
}

// close(), before the engine. Sockets that are still lent come back.
Napi::Value FastPathAddon::close(const Napi::CallbackInfo& info) {
  shutDown();
  return info.Env().Undefined();
}

void FastPathAddon::onEnvironmentExit(void* addon) {
  static_cast<FastPathAddon*>(addon)->shutDown();
}

void FastPathAddon::shutDown() {
  if (path_ == nullptr) return;
  napi_remove_env_cleanup_hook(env_, onEnvironmentExit, this);
  path_.reset();
  channel_.Release();
  engine_.Reset();
}

}  // namespace octet
