// Both ends of a lent socket for tests: a worker that lends, and a coordinator that calls.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "fast-path.h"
#include "self-test-weights.h"
#include "self-test-wire.h"

namespace octet::selftest {

constexpr uint32_t testStreamId = 3;

// Experts 4, 0 and 9 of two layers, on the same random weights whenever it is made.
class SmallExperts {
 public:
  SmallExperts(Format format, int threads);
  const CallShape& shape() const { return shape_; }
  ExpertEngine& engine() { return *engine_; }
  size_t indexOf(const TestCall& call) const;

 private:
  CallShape shape_;
  std::unique_ptr<ExpertEngine> engine_;
};

// What the fast path is held against: the engine alone, one call at a time.
class Reference {
 public:
  explicit Reference(Format format) : experts_(format, 1), pool_(1) {}
  const CallShape& shape() const { return experts_.shape(); }
  Bytes answer(const TestCall& call);  // any thread

 private:
  std::mutex mutex_;
  SmallExperts experts_;
  ThreadPool pool_;
};

// Sockets that came back, each once.
class Returns {
 public:
  void add(std::unique_ptr<ReturnedSocket> socket);
  ReturnedSocket wait(uint32_t id);
  bool has(uint32_t id);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint32_t, std::unique_ptr<ReturnedSocket>> sockets_;
};

// A connected pair; both ends wait for the other, but not for ever.
class SocketPair {
 public:
  SocketPair();
  ~SocketPair();
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  int workers() const { return ends_[0]; }
  int coordinators() const { return ends_[1]; }
  void closeCoordinators();
  // What lies there for the worker.
  Bytes drainWorkers();

 private:
  int ends_[2];
};

// A worker on small experts, with a fast path.
class Worker {
 public:
  explicit Worker(Format format, int threads = 2);
  Reference& reference() { return reference_; }
  const CallShape& shape() const { return reference_.shape(); }
  SmallExperts& experts() { return experts_; }
  Runner& runner() { return runner_; }
  FastPath& path() { return *path_; }
  void closePath() { path_.reset(); }
  Returns& returns() { return returns_; }

  static SocketLoan loanOf(int fd);
  uint32_t lend(const SocketPair& pair) { return path_->lend(loanOf(pair.workers())); }
  // Until so many calls are answered in all since this was last asked.
  std::vector<AnsweredCall> waitForAnswered(size_t count);

 private:
  Reference reference_;
  SmallExperts experts_;
  Runner runner_;
  Returns returns_;
  std::unique_ptr<FastPath> path_;
};

void sendAll(int fd, const Bytes& bytes);
// In pieces from a byte to several calls.
void sendInPieces(Random& random, int fd, const Bytes& bytes);
Bytes receiveExactly(int fd, size_t count);

struct ReceivedAnswer {
  TestAnswer answer;
  size_t payloadBytes;  // of its DATA
};

// Reads an answer, which is as its twin would write it.
ReceivedAnswer receiveAnswer(int fd);

// Calls with ids from `firstId` on.
std::vector<TestCall> randomCalls(Random& random, const CallShape& shape, size_t count,
                                  uint64_t firstId = 1);
Bytes framesOf(const std::vector<TestCall>& calls);
size_t payloadBytesOf(const std::vector<TestCall>& calls);

// Reads an answer to each call, in any order, and checks its bits. Returns the payload bytes read.
size_t receiveAnswers(Reference& reference, int fd, const std::vector<TestCall>& calls);

}  // namespace octet::selftest
