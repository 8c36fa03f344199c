// The worker and the coordinator that the fast path's tests are made of.
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <chrono>
#include <thread>

#include "self-test-fast-path.h"

namespace octet::selftest {

namespace {

constexpr int64_t hidden = 64, inner = 96, numLayers = 2, rowsMax = 6;
// Beyond any machine's slowness: a test that hangs must end.
constexpr int patienceSeconds = 120;

class TwinReader {
 public:
  explicit TwinReader(const Bytes& bytes) : bytes_(bytes) {}
  uint64_t varint() {
    uint64_t value = 0, unit = 1;
    for (;; unit *= 128) {
      const uint8_t byte = next();
      value += byte % 128 * unit;
      if (byte < 128) return value;
    }
  }
  uint64_t number(uint32_t field) {
    check(varint() == field * 8, "an answer has its numbers in order");
    return varint();
  }
  Bytes nested(uint32_t field) {
    check(varint() == field * 8 + 2, "an answer has its messages in order");
    Bytes content(varint());
    for (uint8_t& byte : content) byte = next();
    return content;
  }

 private:
  uint8_t next() {
    check(at_ < bytes_.size(), "an answer is whole");
    return bytes_[at_++];
  }
  const Bytes& bytes_;
  size_t at_ = 0;
};

}  // namespace

SmallExperts::SmallExperts(Format format, int threads) {
  shape_ = {format, hidden, rowsMax, uint32_t(numLayers), {4, 0, 9}};
  RandomFile content;
  const size_t count = size_t(numLayers) * shape_.expertIds.size();
  std::vector<std::pair<size_t, size_t>> places;
  for (size_t i = 0; i < count; i++) {
    places.push_back(content.add(format, inner, hidden, 0.2f));
    places.push_back(content.add(format, inner, hidden, 0.2f));
    places.push_back(content.add(format, hidden, inner, 0.2f));
  }
  std::vector<std::unique_ptr<MappedFile>> files;
  files.push_back(content.map());
  const auto matrix = [&](size_t place, int64_t rows, int64_t cols) {
    const auto& [elements, scales] = places[place];
    return Matrix{format, rows, cols, files[0]->at(elements),
                  isQuantised(format) ? files[0]->at(scales) : nullptr};
  };
  std::vector<ExpertMatrices> experts;
  for (size_t i = 0; i < count; i++) {
    experts.push_back({matrix(3 * i, inner, hidden), matrix(3 * i + 1, inner, hidden),
                       matrix(3 * i + 2, hidden, inner)});
  }
  const KernelTable& kernels = *supportedKernels().front();
  engine_ = std::make_unique<ExpertEngine>(kernels, ExpertShape{format, hidden, inner},
                                           std::move(files), std::move(experts), threads);
}

size_t SmallExperts::indexOf(const TestCall& call) const {
  size_t index = 0;
  while (shape_.expertIds[index] != call.expertId) index++;
  return size_t(call.layer) * shape_.expertIds.size() + index;
}

Bytes Reference::answer(const TestCall& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Bytes rows(size_t(int64_t(call.rows) * shape().replyRowBytes()));
  experts_.engine().forward(pool_, experts_.indexOf(call), call.data.data(), int64_t(call.rows),
                            rows.data());
  return rows;
}

void Returns::add(std::unique_ptr<ReturnedSocket> socket) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const uint32_t id = socket->id;
  check(sockets_.emplace(id, std::move(socket)).second, "a socket comes back once");
  changed_.notify_all();
}

ReturnedSocket Returns::wait(uint32_t id) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto isThere = [&] { return sockets_.count(id) > 0; };
  check(changed_.wait_for(lock, std::chrono::seconds(patienceSeconds), isThere),
        "a socket comes back");
  return *sockets_[id];
}

bool Returns::has(uint32_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return sockets_.count(id) > 0;
}

SocketPair::SocketPair() {
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) == 0, "sockets can be made");
  const timeval patience = {patienceSeconds, 0};
  for (const int end : ends_) {
    setsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
}

SocketPair::~SocketPair() {
  close(ends_[0]);
  closeCoordinators();
}

void SocketPair::closeCoordinators() {
  if (ends_[1] >= 0) close(ends_[1]);
  ends_[1] = -1;
}

Bytes SocketPair::drainWorkers() {
  Bytes all, part(4096);
  for (;;) {
    const ssize_t count = recv(workers(), part.data(), part.size(), MSG_DONTWAIT);
    if (count <= 0) return all;
    all.insert(all.end(), part.begin(), part.begin() + count);
  }
}

Worker::Worker(Format format, int threads)
    : reference_(format), experts_(format, threads), runner_(threads) {
  path_ = std::make_unique<FastPath>(
      experts_.engine(), runner_, experts_.shape(),
      [this](std::unique_ptr<ReturnedSocket> socket) { returns_.add(std::move(socket)); });
}

SocketLoan Worker::loanOf(int fd) { return {fd, testStreamId, 1 << 20, 1 << 30, 1 << 30}; }

std::vector<AnsweredCall> Worker::waitForAnswered(size_t count) {
  std::vector<AnsweredCall> all;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(patienceSeconds);
  while (all.size() < count) {
    check(std::chrono::steady_clock::now() < until, "calls are answered");
    for (const AnsweredCall& call : path_->takeAnswered()) all.push_back(call);
    std::this_thread::yield();
  }
  return all;
}

void sendAll(int fd, const Bytes& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    check(count > 0, "a test can send");
    sent += size_t(count);
  }
}

void sendInPieces(Random& random, int fd, const Bytes& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const size_t most = random.next() % 3 == 0 ? 1500 : random.next() % 2 == 0 ? 300 : 20;
    const size_t count = std::min(bytes.size() - sent, 1 + random.next() % most);
    const auto from = bytes.begin() + ptrdiff_t(sent);
    sendAll(fd, Bytes(from, from + ptrdiff_t(count)));
    sent += count;
    if (random.next() % 4 == 0) std::this_thread::yield();
  }
}

Bytes receiveExactly(int fd, size_t count) {
  Bytes bytes(count);
  for (size_t got = 0; got < count;) {
    const ssize_t more = recv(fd, bytes.data() + got, count - got, 0);
    check(more > 0, "what is awaited comes");
    got += size_t(more);
  }
  return bytes;
}

ReceivedAnswer receiveAnswer(int fd) {
  const Bytes head = receiveExactly(fd, 9);
  const size_t length = size_t(head[0]) << 16 | size_t(head[1]) << 8 | head[2];
  const Bytes payload = receiveExactly(fd, length);
  check(length > 5, "an answer is a message");
  const Bytes message(payload.begin() + 5, payload.end());
  TwinReader answer(message);
  const uint64_t callId = answer.number(1);
  const Bytes timings = answer.nested(4), rows = answer.nested(2);
  TwinReader ofTimings(timings), ofRows(rows);
  TestAnswer found = {callId, ofTimings.number(1), ofTimings.number(2), ofRows.number(1),
                      ofRows.number(2), ofRows.number(3), ofRows.nested(4)};
  check(join({head, payload}) == answerFrame(testStreamId, found), "an answer is as its twin");
  return {found, length};
}

std::vector<TestCall> randomCalls(Random& random, const CallShape& shape, size_t count,
                                  uint64_t firstId) {
  std::vector<TestCall> calls;
  for (size_t i = 0; i < count; i++) {
    calls.push_back(randomCall(random, shape, 1 + random.next() % shape.rowsMax));
    calls.back().callId = firstId + i;
  }
  return calls;
}

Bytes framesOf(const std::vector<TestCall>& calls) {
  std::vector<Bytes> frames;
  for (const TestCall& call : calls) frames.push_back(callFrame(testStreamId, call));
  return join(frames);
}

size_t payloadBytesOf(const std::vector<TestCall>& calls) {
  return framesOf(calls).size() - frameHeadBytes * calls.size();
}

size_t receiveAnswers(Reference& reference, int fd, const std::vector<TestCall>& calls) {
  std::map<uint64_t, const TestCall*> open;
  for (const TestCall& call : calls) open[call.callId] = &call;
  size_t payloadBytes = 0;
  while (!open.empty()) {
    const ReceivedAnswer received = receiveAnswer(fd);
    const TestAnswer& answer = received.answer;
    payloadBytes += received.payloadBytes;
    const auto found = open.find(answer.callId);
    check(found != open.end(), "an answer is to a call, and the only one");
    const TestCall& call = *found->second;
    check(answer.rows == call.rows && answer.width == call.width &&
              answer.dtype == replyCode(reference.shape().weights),
          "an answer has the call's shape");
    checkSameBits(answer.data, reference.answer(call), "an answer is the engine's own");
    open.erase(found);
  }
  return payloadBytes;
}

}  // namespace octet::selftest
