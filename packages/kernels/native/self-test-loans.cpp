// How lent sockets come back: with everything that was not answered, and nothing that was.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "self-test-fast-path.h"

namespace octet::selftest {

namespace {

// File descriptors that are open.
int openDescriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) != -1;
  return count;
}

Bytes pingFrame() {
  FrameSkew ping;
  ping.type = 6;
  return frameOf(0, Bytes(8, 1), ping);
}

Bytes cancelFrame() { return messageFrame(testStreamId, nested(2, nested(1, varintBytes(7)))); }

Bytes half(const Bytes& bytes) {
  return Bytes(bytes.begin(), bytes.begin() + ptrdiff_t(bytes.size() / 2));
}

// After some calls comes something else: they are answered, and it is not touched.
void testUnread(Worker& worker, const std::vector<TestCall>& calls, const Bytes& tail, bool isEnd) {
  Random random(31);
  for (int inPieces = 0; inPieces < 2; inPieces++) {
    SocketPair pair;
    const uint32_t id = worker.lend(pair);
    const Bytes bytes = join({framesOf(calls), tail});
    if (inPieces == 1) sendInPieces(random, pair.coordinators(), bytes);
    else sendAll(pair.coordinators(), bytes);
    if (isEnd) shutdown(pair.coordinators(), SHUT_WR);
    const size_t sent = receiveAnswers(worker.reference(), pair.coordinators(), calls);
    const ReturnedSocket back = worker.returns().wait(id);
    check(!back.isBroken, "a socket given back can be used");
    check(join({back.unread, pair.drainWorkers()}) == tail, "what is unread is what came");
    check(back.receivedBytes == payloadBytesOf(calls) && back.sentBytes == sent,
          "what is answered is counted, and nothing else");
  }
}

void testUnreads() {
  Worker worker(Format::bf16);
  Random random(32);
  const std::vector<TestCall> calls = randomCalls(random, worker.shape(), 5);
  const TestCall more = randomCall(random, worker.shape(), 2);
  const Bytes frame = callFrame(testStreamId, more);
  TestCall strange = more;
  strange.expertId = 5;
  for (const std::vector<TestCall>& before : {calls, std::vector<TestCall>()}) {
    for (const Bytes& tail :
         {cancelFrame(), pingFrame(), Bytes(100, 0xa5), callFrame(testStreamId + 2, more),
          callFrame(testStreamId, strange), Bytes(20, 0)}) {
      testUnread(worker, before, tail, false);
      testUnread(worker, before, join({tail, frame, half(frame)}), false);
      testUnread(worker, before, join({tail, frame}), true);
    }
    for (const Bytes& tail : {Bytes(), half(frame), Bytes(frame.begin(), frame.end() - 1)}) {
      testUnread(worker, before, tail, true);
    }
  }
}

// A frame of which the rest does not come is returned as far as it came.
void testHalfFrame(Worker& worker) {
  Random random(33);
  const std::vector<TestCall> calls = randomCalls(random, worker.shape(), 3);
  const Bytes frame = callFrame(testStreamId, calls[0]);
  for (size_t count = 0; count < frame.size(); count += 7) {
    SocketPair pair;
    const Bytes part(frame.begin(), frame.begin() + ptrdiff_t(count));
    sendAll(pair.coordinators(), join({framesOf(calls), part}));
    const uint32_t id = worker.lend(pair);
    receiveAnswers(worker.reference(), pair.coordinators(), calls);
    worker.path().askBack(id, false);
    const ReturnedSocket back = worker.returns().wait(id);
    check(join({back.unread, pair.drainWorkers()}) == part, "half a frame comes back");
    check(!back.isBroken, "half a frame breaks nothing");
  }
}

// Every value is finite, and no product is.
TestCall hugeCall(const CallShape& shape, uint64_t expertId, uint64_t rows) {
  TestCall call = {99, 1, expertId, 1000, dispatchCode(shape.weights), rows, uint64_t(shape.width),
                   {}};
  const std::vector<float> huge(size_t(shape.width), 3e38f);
  for (uint64_t row = 0; row < rows; row++) {
    Bytes encoded(size_t(shape.inputRowBytes()));
    kernelsPortable().encode(shape.weights, huge.data(), shape.width, encoded.data());
    call.data.insert(call.data.end(), encoded.begin(), encoded.end());
  }
  return call;
}

void testNonFiniteOutput(Format format) {
  Worker worker(format);
  Random random(34);
  std::vector<TestCall> calls = randomCalls(random, worker.shape(), 6);
  for (TestCall& call : calls) call.expertId = 4;
  const TestCall bad = hugeCall(worker.shape(), 9, 2);
  testUnread(worker, calls, callFrame(testStreamId, bad), false);
  testUnread(worker, {}, join({callFrame(testStreamId, bad), callFrame(testStreamId, bad)}), false);

  // Joined with another's calls, whose socket comes back too, with them.
  SocketPair pairs[2];
  TestCall good = calls[0];
  good.layer = 1;
  good.expertId = 9;
  good.rows = 1;
  good.data.resize(size_t(worker.shape().inputRowBytes()));
  sendAll(pairs[0].coordinators(), framesOf({bad}));
  sendAll(pairs[1].coordinators(), framesOf({good}));
  const uint32_t ids[2] = {worker.lend(pairs[0]), worker.lend(pairs[1])};
  check(worker.returns().wait(ids[0]).unread == framesOf({bad}), "a bad call comes back");
  worker.path().askBack(ids[1], false);
  const ReturnedSocket other = worker.returns().wait(ids[1]);
  if (other.receivedBytes > 0) {
    receiveAnswers(worker.reference(), pairs[1].coordinators(), {good});
    check(other.unread.empty(), "an answered call does not come back");
  } else {
    check(join({other.unread, pairs[1].drainWorkers()}) == framesOf({good}),
          "a call that is not answered is not lost");
  }
}

// The lender says how much may be received, and sent.
void testRoom(Worker& worker) {
  Random random(35);
  const CallShape& shape = worker.shape();
  std::vector<TestCall> calls;
  for (uint64_t i = 0; i < 40; i++) {
    calls.push_back(randomCall(random, shape, 3));
    calls.back().callId = 20 + i;
    calls.back().timeoutMs = 1000;
  }
  const size_t callBytes = payloadBytesOf({calls[0]});
  const size_t answerBytes = size_t(3 * shape.replyRowBytes());
  const auto run = [&](const SocketLoan& loan, SocketPair& pair, size_t least, size_t most) {
    sendAll(pair.coordinators(), framesOf(calls));
    SocketLoan ofPair = loan;
    ofPair.fd = pair.workers();
    const uint32_t id = worker.path().lend(ofPair);
    const ReturnedSocket back = worker.returns().wait(id);
    const Bytes left = join({back.unread, pair.drainWorkers()});
    const size_t numLeft = left.size() / (callBytes + frameHeadBytes);
    const size_t numAnswered = calls.size() - numLeft;
    check(numAnswered >= least && numAnswered <= most, "a loan ends where it was to end");
    const std::vector<TestCall> answered(calls.begin(), calls.begin() + ptrdiff_t(numAnswered));
    const std::vector<TestCall> rest(calls.begin() + ptrdiff_t(numAnswered), calls.end());
    check(left == framesOf(rest), "what has no room is not lost");
    check(back.receivedBytes == payloadBytesOf(answered), "what had room is counted");
    check(receiveAnswers(worker.reference(), pair.coordinators(), answered) == back.sentBytes,
          "what had room is sent");
    check(back.sentBytes <= loan.sendBytesMax, "no more is sent than there is room for");
  };
  for (const size_t count : {1, 2, 17, 40}) {
    for (const size_t less : {0, 1}) {
      SocketPair pair;
      SocketLoan loan = Worker::loanOf(0);
      loan.receiveBytesMax = count * callBytes - less;
      run(loan, pair, count, count);
    }
  }
  for (const size_t room : {size_t(0), size_t(1), answerBytes, answerBytes + 20}) {
    SocketPair ofSending, ofFrames;
    SocketLoan loan = Worker::loanOf(0);
    loan.sendBytesMax = room;
    run(loan, ofSending, 0, 0);
    loan = Worker::loanOf(0);
    loan.frameBytesMax = room;
    run(loan, ofFrames, 0, 0);
  }
  for (const size_t count : {1, 9, 30}) {
    SocketPair pair;
    SocketLoan loan = Worker::loanOf(0);
    loan.sendBytesMax = count * (answerBytes + wireHeadBytesMax);
    run(loan, pair, count, std::min<size_t>(2 * count, 40));
  }
}

// Calls that come one by one are answered for as long as an answer may still fit.
void testRoomIsUsed(Worker& worker) {
  Random random(42);
  SocketPair pair;
  TestCall call = randomCall(random, worker.shape(), 2);
  call.callId = 20;
  const size_t answerBytesMax = wireHeadBytesMax + size_t(2 * worker.shape().replyRowBytes());
  SocketLoan loan = Worker::loanOf(pair.workers());
  loan.sendBytesMax = 20 * answerBytesMax;
  const uint32_t id = worker.path().lend(loan);
  size_t sent = 0;
  while (sent + answerBytesMax <= loan.sendBytesMax) {
    sendAll(pair.coordinators(), framesOf({call}));
    sent += receiveAnswers(worker.reference(), pair.coordinators(), {call});
  }
  sendAll(pair.coordinators(), framesOf({call}));
  const ReturnedSocket back = worker.returns().wait(id);
  check(back.unread == framesOf({call}) && back.sentBytes == sent, "all of the room was used");
}

// A coordinator that does not read: its answers do not fit in what the system holds.
class Unread {
 public:
  explicit Unread(Worker& worker) : worker_(worker) {
    const int bytes = 1;
    setsockopt(pair.workers(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    Random random(36);
    calls = randomCalls(random, worker.shape(), 60);
    sendAll(pair.coordinators(), framesOf(calls));
    id = worker.lend(pair);
    worker.waitForAnswered(calls.size());
  }

  // The fast path has been round since: it served others.
  void letItGoRound() {
    Random random(37);
    for (int i = 0; i < 3; i++) {
      SocketPair other;
      const std::vector<TestCall> call = randomCalls(random, worker_.shape(), 1);
      sendAll(other.coordinators(), framesOf(call));
      const uint32_t otherId = worker_.lend(other);
      receiveAnswers(worker_.reference(), other.coordinators(), call);
      worker_.path().askBack(otherId, false);
      worker_.returns().wait(otherId);
    }
  }

  SocketPair pair;
  std::vector<TestCall> calls;
  uint32_t id;

 private:
  Worker& worker_;
};

void testNotReading() {
  Worker worker(Format::f32);
  {
    Unread unread(worker);
    worker.path().askBack(unread.id, false);
    unread.letItGoRound();
    check(!worker.returns().has(unread.id), "a socket waits until its answers are sent");
    receiveAnswers(worker.reference(), unread.pair.coordinators(), unread.calls);
    const ReturnedSocket back = worker.returns().wait(unread.id);
    check(!back.isBroken && back.unread.empty(), "and then it is as good as ever");
  }
  {
    Unread unread(worker);
    worker.path().askBack(unread.id, false);
    unread.letItGoRound();
    worker.path().askBack(unread.id, true);
    check(worker.returns().wait(unread.id).isBroken, "given up, its answers are cut off");
  }
  {
    Unread unread(worker);
    unread.pair.closeCoordinators();
    check(worker.returns().wait(unread.id).isBroken, "nobody is there to be answered");
  }
}

void testPeerCloses(Worker& worker) {
  Random random(38);
  for (int i = 0; i < 30; i++) {
    SocketPair pair;
    const std::vector<TestCall> calls = randomCalls(random, worker.shape(), size_t(i) % 4);
    const uint32_t id = worker.lend(pair);
    sendAll(pair.coordinators(), framesOf(calls));
    pair.closeCoordinators();
    worker.returns().wait(id);
  }
}

void testWasActive(Worker& worker) {
  Random random(39);
  SocketPair pair;
  const uint32_t id = worker.lend(pair);
  check(!worker.path().wasActive(id), "a quiet socket was not active");
  const std::vector<TestCall> calls = randomCalls(random, worker.shape(), 2);
  sendAll(pair.coordinators(), framesOf(calls));
  receiveAnswers(worker.reference(), pair.coordinators(), calls);
  check(worker.path().wasActive(id), "a socket that was read was active");
  check(!worker.path().wasActive(id), "since it was last asked");
  check(!worker.path().wasActive(id + 1000), "an unknown socket was not active");
  worker.path().askBack(id + 1000, true);
  worker.path().askBack(id, false);
  worker.path().askBack(id, true);
  check(!worker.returns().wait(id).isBroken, "a quiet socket comes back whole");
}

// Sockets that are lent when it ends.
void testEnd() {
  Random random(40);
  Worker worker(Format::f32);
  SocketPair quiet, halfway;
  const Bytes part = half(callFrame(testStreamId, randomCall(random, worker.shape(), 2)));
  sendAll(halfway.coordinators(), part);
  const uint32_t quietId = worker.lend(quiet), halfwayId = worker.lend(halfway);
  worker.closePath();
  check(worker.returns().wait(quietId).unread.empty(), "a quiet socket comes back at the end");
  const Bytes left = join({worker.returns().wait(halfwayId).unread, halfway.drainWorkers()});
  check(left == part, "half a frame comes back at the end");

  Worker second(Format::f32);
  Unread unread(second);
  second.closePath();
  check(second.returns().wait(unread.id).isBroken, "answers that are cut off at the end are told");
}

// While nobody asks what was answered, sockets go back before it is too much.
void testNobodyCounts() {
  Worker worker(Format::q8);
  Random random(41);
  SocketPair pair;
  const Bytes frame = callFrame(testStreamId, randomCall(random, worker.shape(), 1));
  const uint32_t id = worker.lend(pair);
  std::thread writer([&] {
    for (size_t i = 0; i < answeredMax; i++) sendAll(pair.coordinators(), frame);
  });
  for (size_t i = 0; i < answeredMax; i++) receiveAnswer(pair.coordinators());
  writer.join();
  check(worker.returns().wait(id).unread.empty(), "a socket comes back to have its calls counted");
  sendAll(pair.coordinators(), frame);
  const ReturnedSocket again = worker.returns().wait(worker.lend(pair));
  check(join({again.unread, pair.drainWorkers()}) == frame, "uncounted calls are not added to");
  check(worker.path().takeAnswered().size() == answeredMax, "no call is forgotten");
  sendAll(pair.coordinators(), frame);
  worker.lend(pair);
  receiveAnswer(pair.coordinators());
}

// A socket that there is no memory for.
void testNoMemory() {
  const CallShape monstrous = {Format::f32, 1, INT64_MAX / 4, 1, {0}};
  SocketPair pair;
  const int descriptors = openDescriptors();
  try {
    LentSocket socket(1, Worker::loanOf(pair.workers()), monstrous);
    check(false, "a buffer of all memory is refused");
  } catch (const std::exception&) {
    check(openDescriptors() == descriptors, "a loan that fails leaves nothing open");
  }
}

}  // namespace

void testLoans() {
  const int descriptors = openDescriptors();
  testUnreads();
  {
    Worker worker(Format::q4);
    testHalfFrame(worker);
    testRoom(worker);
    testRoomIsUsed(worker);
    testPeerCloses(worker);
    testWasActive(worker);
  }
  for (const Format format : {Format::f32, Format::bf16}) testNonFiniteOutput(format);
  testNotReading();
  testEnd();
  testNobodyCounts();
  testNoMemory();
  check(openDescriptors() == descriptors, "every file descriptor is closed again");
}

}  // namespace octet::selftest
