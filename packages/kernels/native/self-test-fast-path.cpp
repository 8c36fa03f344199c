// The fast path answers: however calls come, from however many, beside whatever else is computed,
// each gets the bits that the engine gives it alone.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "self-test-fast-path.h"

namespace octet::selftest {

namespace {

// A call that comes some other way.
class EngineJob : public Job {
 public:
  EngineJob(Worker& worker, TestCall call, std::atomic<int>& left)
      : worker_(worker), call_(std::move(call)), left_(left) {}

  void run(ThreadPool& pool) override {
    Bytes rows(size_t(int64_t(call_.rows) * worker_.shape().replyRowBytes()));
    SmallExperts& experts = worker_.experts();
    experts.engine().forward(pool, experts.indexOf(call_), call_.data.data(), int64_t(call_.rows),
                             rows.data());
    checkSameBits(rows, worker_.reference().answer(call_), "a job beside the fast path is right");
  }
  void finished() override {
    left_--;
    delete this;
  }

 private:
  Worker& worker_;
  const TestCall call_;
  std::atomic<int>& left_;
};

// One coordinator's calls, from first to last. Returns them.
std::vector<TestCall> converse(Worker& worker, uint64_t seed, size_t count, bool atOnce) {
  Random random(seed);
  SocketPair pair;
  const std::vector<TestCall> calls = randomCalls(random, worker.shape(), count, seed << 40);
  const Bytes frames = framesOf(calls);
  const uint32_t id = worker.lend(pair);
  std::thread writer([&] {
    Random ofPieces(seed + 1);
    if (atOnce) sendAll(pair.coordinators(), frames);
    else sendInPieces(ofPieces, pair.coordinators(), frames);
  });
  const size_t answerBytes = receiveAnswers(worker.reference(), pair.coordinators(), calls);
  writer.join();
  worker.path().askBack(id, false);
  const ReturnedSocket back = worker.returns().wait(id);
  check(back.unread.empty() && !back.isBroken, "after its answers a socket comes back as it was");
  check(back.receivedBytes == payloadBytesOf(calls), "what was received is counted");
  check(back.sentBytes == answerBytes, "what was sent is counted");
  return calls;
}

void testConversations(Format format, int threads) {
  Worker worker(format, threads);
  constexpr int jobs = 60;
  std::atomic<int> jobsLeft{jobs};
  Random random(21);
  std::vector<TestCall> calls[3];
  std::vector<std::thread> coordinators;
  for (size_t i = 0; i < 3; i++) {
    coordinators.emplace_back(
        [&worker, &calls, i] { calls[i] = converse(worker, i + 1, 80, i == 0); });
  }
  for (int i = 0; i < jobs; i++) {
    const TestCall call = randomCall(random, worker.shape(), 1 + random.next() % 6);
    worker.runner().submit(std::make_unique<EngineJob>(worker, call, jobsLeft));
  }
  for (std::thread& coordinator : coordinators) coordinator.join();
  while (jobsLeft > 0) std::this_thread::yield();

  std::map<std::pair<uint64_t, int64_t>, int> expected, counted;
  for (const auto& each : calls) {
    for (const TestCall& call : each) expected[{call.expertId, int64_t(call.rows)}]++;
  }
  for (const AnsweredCall& call : worker.path().takeAnswered()) {
    counted[{call.expertId, call.rows}]++;
    check(call.queuedUs >= 0 && call.computedUs > 0, "an answered call took some time");
  }
  check(counted == expected, "every answered call is counted once");
  check(worker.path().takeAnswered().empty(), "and is not counted again");
}

// Calls that wait for the same expert are computed together, as many as go.
void testJoined(Format format) {
  Worker worker(format);
  Random random(22);
  SocketPair pairs[2];
  std::vector<TestCall> calls[2];
  uint32_t ids[2];
  for (int i = 0; i < 2; i++) {
    calls[i] = randomCalls(random, worker.shape(), 40);
    for (TestCall& call : calls[i]) {
      call.layer = 1;
      call.expertId = call.callId % 8 == 0 ? 0 : 9;
    }
    sendAll(pairs[i].coordinators(), framesOf(calls[i]));
    ids[i] = worker.lend(pairs[i]);
  }
  for (int i = 0; i < 2; i++) {
    receiveAnswers(worker.reference(), pairs[i].coordinators(), calls[i]);
    worker.path().askBack(ids[i], false);
    worker.returns().wait(ids[i]);
  }
  check(worker.path().takeAnswered().size() == 80, "joined calls are counted each");
}

// Keeps the engine busy until it is told to end.
class LongJob : public Job {
 public:
  LongJob(std::atomic<bool>& isRunning, std::atomic<bool>& mayEnd)
      : isRunning_(isRunning), mayEnd_(mayEnd) {}
  void run(ThreadPool&) override {
    isRunning_ = true;
    while (!mayEnd_) std::this_thread::yield();
  }
  void finished() override { delete this; }

 private:
  std::atomic<bool>& isRunning_;
  std::atomic<bool>& mayEnd_;
};

// While another computes, a call is queued.
void testQueuedTime() {
  using Clock = std::chrono::steady_clock;
  std::atomic<bool> isRunning{false}, mayEnd{false};
  Worker worker(Format::f16);
  Random random(26);
  SocketPair pair;
  worker.runner().submit(std::make_unique<LongJob>(isRunning, mayEnd));
  while (!isRunning) std::this_thread::yield();
  sendAll(pair.coordinators(), framesOf({randomCall(random, worker.shape(), 1)}));
  const uint32_t id = worker.lend(pair);
  while (!worker.path().wasActive(id)) std::this_thread::yield();
  const auto from = Clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::chrono::duration<double, std::micro> waited = Clock::now() - from;
  mayEnd = true;
  const uint64_t queuedUs = receiveAnswer(pair.coordinators()).answer.queuedUs;
  check(double(queuedUs) + 1 > waited.count(), "a call that waits for the engine is queued");
  check(worker.waitForAnswered(1)[0].queuedUs > waited.count(), "and so it is counted");
}

// A lender that wants its socket back all the time, and answers what it finds, as a worker does.
class RestlessLender {
 public:
  RestlessLender(Worker& worker, const SocketPair& pair, const std::vector<TestCall>& calls)
      : worker_(worker), pair_(pair), calls_(calls) {}

  void run() {
    Random random(23);
    while (answered_ < calls_.size()) {
      const uint32_t id = worker_.lend(pair_);
      for (uint32_t k = random.next() % 200; k > 0; k--) std::this_thread::yield();
      worker_.path().askBack(id, false);
      const ReturnedSocket back = worker_.returns().wait(id);
      check(!back.isBroken, "a socket that is asked for is not broken");
      answered_ += worker_.path().takeAnswered().size();
      answerUnread(back.unread);
    }
  }

 private:
  // Whole frames, the last of which may still have to come.
  void answerUnread(Bytes unread) {
    while (!unread.empty()) {
      // Calls are taken in the order they came: this is the first one that has no answer.
      const TestCall& call = calls_[answered_];
      const Bytes frame = callFrame(testStreamId, call);
      if (unread.size() < frame.size()) {
        const Bytes rest = receiveExactly(pair_.workers(), frame.size() - unread.size());
        unread.insert(unread.end(), rest.begin(), rest.end());
      }
      check(std::equal(frame.begin(), frame.end(), unread.begin()), "what is unread is as it came");
      unread.erase(unread.begin(), unread.begin() + ptrdiff_t(frame.size()));
      sendAll(pair_.workers(),
              answerFrame(testStreamId, {call.callId, 0, 0, replyCode(worker_.shape().weights),
                                         call.rows, call.width, worker_.reference().answer(call)}));
      answered_++;
    }
  }

  Worker& worker_;
  const SocketPair& pair_;
  const std::vector<TestCall>& calls_;
  size_t answered_ = 0;
};

void testRestlessLender() {
  Worker worker(Format::q8);
  Random random(24);
  SocketPair pair;
  const std::vector<TestCall> calls = randomCalls(random, worker.shape(), 600);
  std::thread writer([&] {
    Random ofPieces(25);
    sendInPieces(ofPieces, pair.coordinators(), framesOf(calls));
  });
  RestlessLender lender(worker, pair, calls);
  std::thread lending([&] { lender.run(); });
  receiveAnswers(worker.reference(), pair.coordinators(), calls);
  writer.join();
  lending.join();
}

}  // namespace

void testFastPath() {
  for (const Format format : allFormats) {
    for (int threads = 1; threads <= 2; threads++) testConversations(format, threads);
    testJoined(format);
  }
  testQueuedTime();
  testRestlessLender();
}

}  // namespace octet::selftest
