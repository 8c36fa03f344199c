// Between JavaScript and a runner: calls become jobs, and jobs settle promises. The JavaScript
// thread neither computes nor waits; every member is used on that thread unless it says otherwise.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>

#include "runner.h"

namespace octet {

class AsyncHost;

// One call under way: what it computes, what it must keep alive, and the promise it settles.
class Call : public Job {
 public:
  using Work = std::function<void(ThreadPool&)>;

  Call(AsyncHost& host, Napi::Object keepAlive, Work work);
  Napi::Promise promise() const { return deferred_.Promise(); }

  void run(ThreadPool& pool) override;  // runner's thread
  void finished() override;             // runner's thread

  // Tells the host, then resolves with undefined or rejects with an Error that has a `code`.
  static void settle(Napi::Env env, Call* call);
  // Frees the call when the environment is already gone.
  static void discard(Call* call);

 private:
  AsyncHost& host_;
  Napi::ObjectReference keepAlive_;
  Work work_;
  Napi::Promise::Deferred deferred_;
  bool failed_ = false;
  std::string failureCode_;
  std::string failureMessage_;
};

class AsyncHost {
 public:
  AsyncHost(Napi::Env env, int threads);
  ~AsyncHost();
  AsyncHost(const AsyncHost&) = delete;
  AsyncHost& operator=(const AsyncHost&) = delete;

  // `work` runs after all that was submitted before it. keepAlive holds whatever it points into.
  Napi::Promise submit(Napi::Object keepAlive, Call::Work work);

  // For work that comes from elsewhere than JavaScript; gone with `close`, or the environment.
  Runner& runner() { return *runner_; }

  // Runs `release` after all that was submitted, then joins the threads. Nothing may follow.
  Napi::Promise close(Napi::Object keepAlive, Call::Work release);

 private:
  friend class Call;
  static void callJs(Napi::Env env, Napi::Function, std::nullptr_t*, Call* call);
  using Channel = Napi::TypedThreadSafeFunction<std::nullptr_t, Call, callJs>;

  static void onEnvironmentExit(void* host);
  void settled();
  void shutDown();

  Napi::Env env_;
  Channel channel_;
  std::unique_ptr<Runner> runner_;
  int64_t pending_ = 0;  // while there are any, the event loop stays alive
  bool closing_ = false;
};

}  // namespace octet
