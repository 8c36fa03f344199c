// A connected socket while the fast path has it: frames in, answers out, and how it is given back.
// Used on the fast path's thread, unless a member says otherwise.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>
#include <memory>
#include <vector>

#include "expert-wire.h"

namespace octet {

// What a socket is lent with.
struct SocketLoan {
  int fd;  // the lender's; the fast path works on a duplicate
  uint32_t streamId;
  size_t frameBytesMax;    // longest payload of DATA that the peer takes
  size_t receiveBytesMax;  // payload of DATA after which it is given back
  size_t sendBytesMax;     // and how much of it may be sent
};

// What the lender must know to go on.
struct ReturnedSocket {
  uint32_t id;
  std::vector<uint8_t> unread;  // came and was not answered
  size_t receivedBytes;         // payload of DATA that was answered
  size_t sentBytes;             // payload of DATA that was sent
  bool isBroken;                // an answer could not be sent
};

class LentSocket {
 public:
  LentSocket(uint32_t id, const SocketLoan& loan, const CallShape& shape);
  ~LentSocket();
  LentSocket(const LentSocket&) = delete;
  LentSocket& operator=(const LentSocket&) = delete;

  uint32_t id() const { return id_; }
  int fd() const { return fd_; }
  bool wantsToSend() const { return sentOf_ < output_.size(); }
  // Whether it takes no more calls; it goes when its answers are sent.
  bool isLeaving() const { return isLeaving_; }
  void leave() { isLeaving_ = true; }

  // Reads what has come. Calls `take(call)` for each call in it, whose rows stay where they are
  // until `forgetAnswered`.
  template <class Take>
  void receive(const Take& take) {
    if (!fill()) leave();
    while (!isLeaving_) {
      const WireFrame frame = next();
      if (frame.kind == FrameKind::incomplete) return;
      if (frame.kind == FrameKind::other || !mayTake(frame.call)) return leave();
      taken(frame.call);
      take(frame.call);
    }
  }

  // Sends an answer, or what of it the network takes, and keeps the rest.
  void answer(const WireCall& call, const WireTimings& timings, const uint8_t* rows);
  // Leaves a call that `receive` told of to the lender.
  void leaveUnanswered(const WireCall& call);
  void forgetAnswered();

  // Sends on.
  void flush();
  // Gives up what is not sent; the connection is of no more use.
  void dropUnsent();

  // Any thread: whether anything came since it was last asked.
  bool wasActive() { return active_.exchange(false); }

  std::unique_ptr<ReturnedSocket> giveBack();

 private:
  bool fill();
  WireFrame next() const;
  bool mayTake(const WireCall& call) const;
  void taken(const WireCall& call);
  size_t answerBytesMax(int64_t rows) const;

  const uint32_t id_;
  const SocketLoan loan_;
  const CallShape& shape_;
  std::vector<uint8_t> input_;
  const int fd_;  // after the buffer: nothing may fail once it is open
  size_t filled_ = 0;  // bytes of input_ that have come
  size_t read_ = 0;    // bytes of input_ that were calls
  std::vector<uint8_t> unanswered_;
  std::vector<uint8_t> output_;
  size_t sentOf_ = 0;  // bytes of output_ that are sent
  size_t receivedBytes_ = 0;
  size_t sentBytes_ = 0;
  size_t promisedBytes_ = 0;  // of answers, at most, to calls that were taken
  bool isLeaving_ = false;
  bool isBroken_ = false;
  std::atomic<bool> active_{false};
};

}  // namespace octet
