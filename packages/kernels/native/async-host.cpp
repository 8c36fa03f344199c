#include "async-host.h"

#include <utility>

#include "js-error.h"

namespace octet {

Call::Call(AsyncHost& host, Napi::Object keepAlive, Work work)
    : host_(host),
      keepAlive_(Napi::Persistent(keepAlive)),
      work_(std::move(work)),
      deferred_(Napi::Promise::Deferred::New(keepAlive.Env())) {}

void Call::run(ThreadPool& pool) {
  try {
    work_(pool);
  } catch (const Failure& failure) {
    failed_ = true;
    failureCode_ = failure.code();
    failureMessage_ = failure.what();
  } catch (const std::exception& error) {
    failed_ = true;
    failureMessage_ = error.what();
  }
}

// The queue is unbounded, so this never waits; it fails only once the environment is going down,
// and then nobody is left to tell.
void Call::finished() {
  if (host_.channel_.NonBlockingCall(this) != napi_ok) discard(this);
}

void Call::settle(Napi::Env env, Call* call) {
  const std::unique_ptr<Call> owned(call);
  call->host_.settled();
  if (!call->failed_) {
    call->deferred_.Resolve(env.Undefined());
    return;
  }
  call->deferred_.Reject(toJsError(env, call->failureCode_, call->failureMessage_).Value());
}

void Call::discard(Call* call) {
  call->keepAlive_.SuppressDestruct();
  delete call;
}

void AsyncHost::callJs(Napi::Env env, Napi::Function, std::nullptr_t*, Call* call) {
  if (static_cast<napi_env>(env) == nullptr) Call::discard(call);
  else Call::settle(env, call);
}

AsyncHost::AsyncHost(Napi::Env env, int threads)
    : env_(env), channel_(Channel::New(env, "octet kernels", 0, 1)) {
  channel_.Unref(env);
  try {
    runner_ = std::make_unique<Runner>(threads);
  } catch (...) {
    channel_.Release();
    throw;
  }
  napi_add_env_cleanup_hook(env, onEnvironmentExit, this);
}

AsyncHost::~AsyncHost() { shutDown(); }

Napi::Promise AsyncHost::submit(Napi::Object keepAlive, Call::Work work) {
  auto call = std::make_unique<Call>(*this, keepAlive, std::move(work));
  const Napi::Promise promise = call->promise();
  if (pending_++ == 0) channel_.Ref(env_);
  runner_->submit(std::move(call));
  return promise;
}

Napi::Promise AsyncHost::close(Napi::Object keepAlive, Call::Work release) {
  closing_ = true;
  return submit(keepAlive, std::move(release));
}

void AsyncHost::settled() {
  if (--pending_ > 0) return;
  channel_.Unref(env_);
  if (closing_) shutDown();
}

// A process may exit, or a worker thread be terminated, with an engine open and computing.
void AsyncHost::onEnvironmentExit(void* host) { static_cast<AsyncHost*>(host)->shutDown(); }

void AsyncHost::shutDown() {
  if (runner_ == nullptr) return;
  napi_remove_env_cleanup_hook(env_, onEnvironmentExit, this);
  runner_->stop();
  runner_.reset();
  channel_.Release();
}

}  // namespace octet
