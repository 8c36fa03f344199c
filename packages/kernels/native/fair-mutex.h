// A mutex that is had in the order in which it was asked for. With std::mutex a thread that gives
// one up and wants it again keeps out whoever waits: that one must wake up first.
#pragma once

#include <stdint.h>

#include <condition_variable>
#include <mutex>

namespace octet {

class FairMutex {
 public:
  FairMutex() = default;
  FairMutex(const FairMutex&) = delete;
  FairMutex& operator=(const FairMutex&) = delete;

  void lock() {
    std::unique_lock<std::mutex> guard(mutex_);
    const uint64_t turn = asked_++;
    changed_.wait(guard, [&] { return given_ == turn; });
  }

  void unlock() {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      given_++;
    }
    changed_.notify_all();
  }

  // Threads that have it or wait for it.
  uint64_t inLine() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return asked_ - given_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t asked_ = 0;
  uint64_t given_ = 0;
};

}  // namespace octet
