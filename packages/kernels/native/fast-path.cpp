#include "fast-path.h"

#include <poll.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace octet {

namespace {

int64_t nowNs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

double toMicroseconds(int64_t ns) { return double(ns) / 1000; }

}  // namespace

FastPath::FastPath(ExpertEngine& engine, Runner& runner, CallShape shape, OnReturned onReturned)
    : engine_(engine),
      runner_(runner),
      shape_(std::move(shape)),
      onReturned_(std::move(onReturned)) {
  input_.reserve(size_t(shape_.rowsMax * shape_.inputRowBytes()));
  output_.reserve(size_t(shape_.rowsMax * shape_.replyRowBytes()));
  thread_ = std::thread([this] { main(); });
}

FastPath::~FastPath() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    isStopping_ = true;
  }
  wakePipe_.wake();
  thread_.join();
}

uint32_t FastPath::lend(const SocketLoan& loan) {
  uint32_t id;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    id = ++lastId_;
    sockets_.push_back(std::make_unique<LentSocket>(id, loan, shape_));
  }
  wakePipe_.wake();
  return id;
}

void FastPath::askBack(uint32_t id, bool atOnce) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back({id, atOnce});
  }
  wakePipe_.wake();
}

bool FastPath::wasActive(uint32_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& socket : sockets_) {
    if (socket->id() == id) return socket->wasActive();
  }
  return false;
}

std::vector<AnsweredCall> FastPath::takeAnswered() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(answered_, {});
}

void FastPath::main() {
  runner_.pinHere();
  while (takeRequests()) {
    waitForNews();
    while (!waiting_.empty()) computeNext();
    for (LentSocket* socket : current_) socket->forgetAnswered();
    returnLeaving();
  }
  returnAll();
}

// False when it is time to stop.
bool FastPath::takeRequests() {
  const std::lock_guard<std::mutex> lock(mutex_);
  current_.clear();
  const bool isFull = answered_.size() >= answeredMax;
  for (const auto& socket : sockets_) {
    if (isFull) socket->leave();
    for (const Request& request : requests_) {
      if (request.id != socket->id()) continue;
      socket->leave();
      if (request.atOnce) socket->dropUnsent();
    }
    current_.push_back(socket.get());
  }
  requests_.clear();
  return !isStopping_;
}

void FastPath::waitForNews() {
  std::vector<pollfd> polled = {{wakePipe_.fd(), POLLIN, 0}};
  bool isLeavingNow = false;
  for (const LentSocket* socket : current_) {
    isLeavingNow |= socket->isLeaving() && !socket->wantsToSend();
    // What cannot be sent must not be added to: the peer feels it.
    const short events = socket->wantsToSend() ? POLLOUT : socket->isLeaving() ? 0 : POLLIN;
    polled.push_back({socket->fd(), events, 0});
  }
  if (poll(polled.data(), nfds_t(polled.size()), isLeavingNow ? 0 : -1) <= 0) return;
  if (polled[0].revents != 0) wakePipe_.forget();
  for (size_t i = 0; i < current_.size(); i++) {
    if (polled[i + 1].revents != 0) readSocket(*current_[i]);
  }
}

void FastPath::readSocket(LentSocket& socket) {
  socket.flush();
  if (socket.wantsToSend() || socket.isLeaving()) return;
  const int64_t receivedNs = nowNs();
  socket.receive([&](const WireCall& call) { waiting_.push_back({&socket, call, receivedNs}); });
}

// Computes the calls that wait for the same expert of a layer as the first, as many as may go
// together.
void FastPath::computeNext() {
  const auto first = waiting_.front().call;
  std::vector<Waiting> group;
  int64_t rows = 0;
  const auto joins = [&](const Waiting& each) {
    const WireCall& call = each.call;
    if (call.layer != first.layer || call.expertIndex != first.expertIndex) return false;
    if (rows + call.rows > shape_.rowsMax) return false;
    memcpy(input_.bytes() + rows * shape_.inputRowBytes(), call.data,
           size_t(call.rows * shape_.inputRowBytes()));
    rows += call.rows;
    group.push_back(each);
    return true;
  };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), joins), waiting_.end());
  const size_t expert = first.layer * shape_.expertIds.size() + first.expertIndex;
  int64_t startedNs = 0;
  if (!computeRows(expert, rows, startedNs)) {
    for (const Waiting& each : group) each.socket->leaveUnanswered(each.call);
    return;
  }
  const double computedUs = toMicroseconds(nowNs() - startedNs);
  const auto queuedUs = [&](const Waiting& each) {
    return toMicroseconds(startedNs - each.receivedNs);
  };
  {
    // Before anybody can have an answer and ask for its count.
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Waiting& each : group) {
      const uint32_t expertId = shape_.expertIds[first.expertIndex];
      answered_.push_back({expertId, each.call.rows, queuedUs(each), computedUs});
    }
  }
  const uint8_t* from = output_.bytes();
  for (const Waiting& each : group) {
    each.socket->answer(each.call, {uint64_t(queuedUs(each)), uint64_t(computedUs)}, from);
    from += each.call.rows * shape_.replyRowBytes();
  }
}

// False if the service must say what is wrong.
bool FastPath::computeRows(size_t expert, int64_t rows, int64_t& startedNs) {
  try {
    runner_.runHere([&](ThreadPool& pool) {
      startedNs = nowNs();  // now that it is this call's turn
      engine_.forward(pool, expert, input_.bytes(), rows, output_.bytes());
    });
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void FastPath::returnLeaving() {
  std::vector<std::unique_ptr<LentSocket>> leaving;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = sockets_.begin(); it != sockets_.end();) {
      if ((*it)->isLeaving() && !(*it)->wantsToSend()) {
        leaving.push_back(std::move(*it));
        it = sockets_.erase(it);
      } else {
        it++;
      }
    }
  }
  for (const auto& socket : leaving) onReturned_(socket->giveBack());
}

void FastPath::returnAll() {
  std::list<std::unique_ptr<LentSocket>> left;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    left.swap(sockets_);
  }
  for (const auto& socket : left) onReturned_(socket->giveBack());
}

}  // namespace octet
