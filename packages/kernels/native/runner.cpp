#include "runner.h"

#include <utility>

namespace octet {

Runner::Runner(int threads) : pool_(threads), thread_([this] { main(); }) {}

Runner::~Runner() { stop(); }

void Runner::submit(std::unique_ptr<Job> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

std::deque<std::unique_ptr<Job>> Runner::stop() {
  pool_.abandon();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  return std::move(jobs_);
}

void Runner::main() {
  pool_.pinCaller();
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    runHere([&job](ThreadPool& pool) { job->run(pool); });
    job.release()->finished();
  }
}

}  // namespace octet
