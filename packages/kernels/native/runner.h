// One thread that runs jobs in the order they were submitted, with helpers for their loops.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "fair-mutex.h"
#include "thread-pool.h"

namespace octet {

class Job {
 public:
  virtual ~Job() = default;
  // On the runner's thread. Must not throw.
  virtual void run(ThreadPool& pool) = 0;
  // On the runner's thread, after run; from here on the job owns itself.
  virtual void finished() = 0;
};

class Runner {
 public:
  // `threads` compute: the runner's own and threads - 1 helpers.
  explicit Runner(int threads);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  void submit(std::unique_ptr<Job> job);

  // For a thread that is going to call runHere: places it as the pool's first.
  void pinHere() const { pool_.pinCaller(); }

  // Runs `work` on the caller's thread, which counts as the pool's first, between two jobs: after
  // the one that runs, however many wait. Any thread but the JavaScript one, and none after `stop`.
  template <class Work>
  void runHere(const Work& work) {
    const std::lock_guard<FairMutex> computing(computing_);
    work(pool_);
  }

  // Cuts the running job short, joins every thread, and returns the jobs that never ran.
  std::deque<std::unique_ptr<Job>> stop();

 private:
  void main();

  ThreadPool pool_;
  FairMutex computing_;  // the pool's
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace octet
