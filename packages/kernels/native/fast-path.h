// Answers expert calls straight from their sockets, on a thread of its own: it reads a call,
// computes it and writes the answer, and JavaScript hears nothing of it. Only calls in their plain
// form are answered; with anything else a socket goes back to its lender, as it was found.
// Members are for any one thread, but for the constructor's callback.
#pragma once

#include <stdint.h>

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "aligned-buffer.h"
#include "expert-engine.h"
#include "lent-socket.h"
#include "runner.h"
#include "wake-pipe.h"

namespace octet {

// A call that was answered, for those who count.
struct AnsweredCall {
  uint32_t expertId;
  int64_t rows;
  double queuedUs;
  double computedUs;
};

// Answered calls that nobody has asked for, at which sockets go back: their lenders will ask.
constexpr size_t answeredMax = 4096;

class FastPath {
 public:
  // On the fast path's thread.
  using OnReturned = std::function<void(std::unique_ptr<ReturnedSocket>)>;

  FastPath(ExpertEngine& engine, Runner& runner, CallShape shape, OnReturned onReturned);
  // Gives every socket back, after the computation under way.
  ~FastPath();
  FastPath(const FastPath&) = delete;
  FastPath& operator=(const FastPath&) = delete;

  // From now on nobody else reads or writes the socket, until it is returned.
  uint32_t lend(const SocketLoan& loan);
  // Wants a socket back: when its answers are sent, or at once, whatever is left.
  void askBack(uint32_t id, bool atOnce);
  // Whether anything came on a socket since this was last asked.
  bool wasActive(uint32_t id);
  // What was answered since this was last asked.
  std::vector<AnsweredCall> takeAnswered();

 private:
  struct Waiting {
    LentSocket* socket;
    WireCall call;
    int64_t receivedNs;
  };
  struct Request {
    uint32_t id;
    bool atOnce;
  };

  void main();
  bool takeRequests();
  void waitForNews();
  void readSocket(LentSocket& socket);
  void computeNext();
  bool computeRows(size_t expert, int64_t rows, int64_t& startedNs);
  void returnLeaving();
  void returnAll();

  ExpertEngine& engine_;
  Runner& runner_;
  const CallShape shape_;
  const OnReturned onReturned_;

  // Shared by the threads, under the mutex.
  std::mutex mutex_;
  std::list<std::unique_ptr<LentSocket>> sockets_;  // removed by the fast path's thread alone
  std::vector<Request> requests_;
  std::vector<AnsweredCall> answered_;
  uint32_t lastId_ = 0;
  bool isStopping_ = false;

  // The fast path's thread's own.
  std::vector<LentSocket*> current_;
  std::vector<Waiting> waiting_;
  AlignedBuffer input_;
  AlignedBuffer output_;

  WakePipe wakePipe_;
  std::thread thread_;
};

}  // namespace octet
