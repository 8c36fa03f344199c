#include "lent-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "failure.h"

namespace octet {

namespace {

#if defined(MSG_NOSIGNAL)
constexpr int sendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
constexpr int sendFlags = MSG_DONTWAIT;  // Node ignores SIGPIPE
#endif

// Of one read: many small calls come together, and at least one whole frame must fit.
constexpr size_t readBytesMin = 64 * 1024;

int duplicate(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy >= 0) return copy;
  throw Failure("unsupported", std::string("cannot lend a socket: ") + strerror(errno));
}

bool isForLater(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

LentSocket::LentSocket(uint32_t id, const SocketLoan& loan, const CallShape& shape)
    : id_(id),
      loan_(loan),
      shape_(shape),
      input_(std::max(callFrameBytesMax(shape), readBytesMin)),
      fd_(duplicate(loan.fd)) {}

LentSocket::~LentSocket() { close(fd_); }

// False if nothing more will come.
bool LentSocket::fill() {
  const ssize_t count = recv(fd_, input_.data() + filled_, input_.size() - filled_, MSG_DONTWAIT);
  if (count > 0) {
    filled_ += size_t(count);
    active_ = true;
    return true;
  }
  return count < 0 && isForLater(errno);
}

WireFrame LentSocket::next() const {
  return readCallFrame(shape_, loan_.streamId, input_.data() + read_, filled_ - read_);
}

size_t LentSocket::answerBytesMax(int64_t rows) const {
  return wireHeadBytesMax + size_t(rows * shape_.replyRowBytes());
}

bool LentSocket::mayTake(const WireCall& call) const {
  const size_t bytes = answerBytesMax(call.rows);
  return bytes <= loan_.frameBytesMax && sentBytes_ + promisedBytes_ + bytes <= loan_.sendBytesMax;
}

void LentSocket::taken(const WireCall& call) {
  read_ += call.frameBytes;
  receivedBytes_ += call.frameBytes - frameHeadBytes;
  promisedBytes_ += answerBytesMax(call.rows);
  if (receivedBytes_ >= loan_.receiveBytesMax) leave();
}

void LentSocket::answer(const WireCall& call, const WireTimings& timings, const uint8_t* rows) {
  promisedBytes_ -= answerBytesMax(call.rows);
  uint8_t head[wireHeadBytesMax];
  uint8_t* const end = head + sizeof head;
  const uint8_t* from =
      writeAnswerHead(shape_, loan_.streamId, call.callId, call.rows, timings, end);
  const size_t rowsBytes = size_t(call.rows * shape_.replyRowBytes());
  output_.insert(output_.end(), from, static_cast<const uint8_t*>(end));
  output_.insert(output_.end(), rows, rows + rowsBytes);
  sentBytes_ += size_t(end - from) - frameHeadBytes + rowsBytes;
  flush();
}

void LentSocket::leaveUnanswered(const WireCall& call) {
  promisedBytes_ -= answerBytesMax(call.rows);
  receivedBytes_ -= call.frameBytes - frameHeadBytes;
  unanswered_.insert(unanswered_.end(), call.frame, call.frame + call.frameBytes);
  leave();
}

void LentSocket::forgetAnswered() {
  memmove(input_.data(), input_.data() + read_, filled_ - read_);
  filled_ -= read_;
  read_ = 0;
}

void LentSocket::flush() {
  while (wantsToSend()) {
    const ssize_t count = send(fd_, output_.data() + sentOf_, output_.size() - sentOf_, sendFlags);
    if (count < 0 && isForLater(errno)) return;
    if (count < 0) {
      isBroken_ = true;
      leave();
      break;
    }
    sentOf_ += size_t(count);
  }
  output_.clear();
  sentOf_ = 0;
}

void LentSocket::dropUnsent() {
  isBroken_ |= wantsToSend();
  output_.clear();
  sentOf_ = 0;
}

std::unique_ptr<ReturnedSocket> LentSocket::giveBack() {
  unanswered_.insert(unanswered_.end(), input_.begin() + ptrdiff_t(read_),
                     input_.begin() + ptrdiff_t(filled_));
  const bool isCutOff = isBroken_ || wantsToSend();
  return std::make_unique<ReturnedSocket>(
      ReturnedSocket{id_, std::move(unanswered_), receivedBytes_, sentBytes_, isCutOff});
}

}  // namespace octet
