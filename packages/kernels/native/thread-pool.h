// Threads that share one loop at a time. Which thread takes which index is left to chance; nothing
// computed may depend on it.
#pragma once

#include <stdint.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace octet {

class ThreadPool {
 public:
  // `threads` counts the caller of forEach, who computes too.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return int(helpers_.size()) + 1; }

  // For a thread that calls forEach for as long as it lives, before it does: keeps it on the first
  // processor if the helpers have the others to themselves.
  void pinCaller() const { pin(0); }

  // Calls body(index, thread) for every index in 0 .. count - 1, with thread in 0 .. threads() - 1,
  // and returns when all have returned. One caller at a time. The body must not throw.
  template <class Body>
  void forEach(int64_t count, const Body& body) {
    const auto call = [](const void* context, int64_t index, int thread) {
      (*static_cast<const Body*>(context))(index, thread);
    };
    run(count, call, &body);
  }

  // From any thread: indexes not begun yet are skipped, now and in later loops.
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

 private:
  using Call = void (*)(const void* context, int64_t index, int thread);

  void run(int64_t count, Call call, const void* context);
  void stop();
  void pin(int thread) const;
  void helperMain(int thread);
  void takeIndexes(int thread);
  template <class Ready>
  void waitUntil(std::condition_variable& signal, const Ready& ready);

  // The loop under way: written while it is closed, read by helpers that joined it.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};

  // Helpers inside the loop, plus `closed` when no more may join.
  static constexpr uint32_t closed = 1u << 31;
  std::atomic<uint32_t> joined_{closed};
  std::atomic<uint64_t> loopNumber_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> abandoned_{false};

  int64_t spinNs_;
  // One for each thread, if there are exactly as many: else empty, and no thread is pinned.
  std::vector<int> processors_;
  std::mutex mutex_;
  std::condition_variable started_;
  std::condition_variable left_;
  std::vector<std::thread> helpers_;
};

}  // namespace octet
