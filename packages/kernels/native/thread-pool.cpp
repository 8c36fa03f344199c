#include "thread-pool.h"

#include <chrono>

#include "processors.h"

namespace octet {

namespace {

using Clock = std::chrono::steady_clock;

// How long a waiting thread looks before it sleeps: about what waking it up again would take.
constexpr int64_t spinNsMax = 50'000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  // With more threads than processors, a spinning thread keeps a working one from running.
  spinNs_ = threads <= availableProcessors() ? spinNsMax : 0;
  processors_ = allowedProcessors();
  // Where each thread has a processor of its own, the system would still put two on one for a while.
  if (processors_.size() != size_t(threads)) processors_.clear();
  helpers_.reserve(size_t(threads - 1));
  try {
    for (int thread = 1; thread < threads; thread++) {
      helpers_.emplace_back([this, thread] { helperMain(thread); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  started_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

template <class Ready>
void ThreadPool::waitUntil(std::condition_variable& signal, const Ready& ready) {
  if (spinNs_ > 0) {
    const auto until = Clock::now() + std::chrono::nanoseconds(spinNs_);
    do {
      for (int i = 0; i < 64; i++) {
        if (ready()) return;
        relax();
      }
      std::this_thread::yield();  // to another process's threads, which may be why this one waits
    } while (Clock::now() < until);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  signal.wait(lock, ready);
}

void ThreadPool::run(int64_t count, Call call, const void* context) {
  if (count <= 1 || helpers_.empty()) {
    for (int64_t i = 0; i < count && !abandoned(); i++) call(context, i, 0);
    return;
  }
  call_ = call;
  context_ = context;
  count_ = count;
  next_ = 0;
  joined_.fetch_and(~closed);  // publishes the loop to whoever joins
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    loopNumber_++;
  }
  started_.notify_all();
  takeIndexes(0);
  // A helper that has not woken up yet is not waited for: it will find the loop closed.
  joined_.fetch_or(closed);
  waitUntil(left_, [this] { return joined_ == closed; });
}

void ThreadPool::pin(int thread) const {
  if (!processors_.empty()) pinThread(processors_[size_t(thread)]);
}

void ThreadPool::helperMain(int thread) {
  pin(thread);
  uint64_t seen = 0;
  for (;;) {
    waitUntil(started_, [this, seen] { return stopping_ || loopNumber_ != seen; });
    if (stopping_) return;
    seen = loopNumber_;
    if ((joined_.fetch_add(1) & closed) == 0) takeIndexes(thread);
    if (joined_.fetch_sub(1) == closed + 1) {
      // The last one out: under the lock, so that the caller is not between looking and sleeping.
      const std::lock_guard<std::mutex> lock(mutex_);
      left_.notify_one();
    }
  }
}

void ThreadPool::takeIndexes(int thread) {
  for (;;) {
    const int64_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_ || abandoned()) return;
    call_(context_, index, thread);
  }
}

}  // namespace octet
