// Calls and answers on the wire: what is read is what the slow twin wrote, and what is written is
// what it would write.
#include <algorithm>
#include <limits>

#include "self-test-wire.h"

namespace octet::selftest {

namespace {

void testCalls(Random& random, const CallShape& shape) {
  for (int64_t rows = 1; rows <= shape.rowsMax; rows++) {
    TestCall call = randomCall(random, shape, rows);
    for (const uint64_t callId : trickyIds) {
      for (const uint32_t expertId : shape.expertIds) {
        call.callId = callId;
        call.expertId = expertId;
        const Bytes bytes = callFrame(streamId, call);
        checkCall(shape, call, bytes, bytes.size());
        checkCall(shape, call, join({bytes, {0, 0, 0}}), bytes.size());
      }
    }
  }
}

void testPrefixes(Random& random, const CallShape& shape) {
  const Bytes bytes = callFrame(streamId, randomCall(random, shape, 2));
  for (size_t count = 0; count < bytes.size(); count++) {
    const Bytes prefix(bytes.begin(), bytes.begin() + ptrdiff_t(count));
    check(kindOf(shape, prefix) == FrameKind::incomplete, "a part of a call is incomplete");
  }
}

// Where the numbers are that must be finite: element size, and offsets.
std::vector<size_t> placesOfReals(const CallShape& shape, int64_t rows) {
  std::vector<size_t> places;
  const size_t stride = size_t(shape.inputRowBytes());
  const size_t from = isQuantised(shape.weights) ? size_t(shape.width) : 0;
  const size_t step = shape.weights == Format::bf16 ? 2 : 4;
  for (size_t row = 0; row < size_t(rows); row++) {
    for (size_t at = from; at < stride; at += step) places.push_back(row * stride + at);
  }
  return places;
}

void testFinite(Random& random, const CallShape& shape) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float most = std::numeric_limits<float>::max();
  const bool isHalf = shape.weights == Format::bf16;
  const TestCall call = randomCall(random, shape, 3);
  const auto with = [&](size_t place, uint32_t bits) {
    TestCall changed = call;
    if (isHalf) bits >>= 16;
    memcpy(changed.data.data() + place, &bits, isHalf ? 2 : 4);
    return changed;
  };
  for (const size_t place : placesOfReals(shape, 3)) {
    for (const float value : {infinity, -infinity, nan, -nan}) {
      uint32_t bits;
      memcpy(&bits, &value, sizeof bits);
      for (const uint32_t payload : {0u, 0x00010000u}) {
        check(kindOf(shape, callFrame(streamId, with(place, bits | payload))) == FrameKind::other,
              "what is not finite is not for the fast path");
      }
    }
    for (const float value : {most, -most, 0.0f, -0.0f, 1e-40f, -1e-40f}) {
      uint32_t bits;
      memcpy(&bits, &value, sizeof bits);
      const TestCall changed = with(place, isHalf ? bits & 0xffff0000u : bits);
      const Bytes bytes = callFrame(streamId, changed);
      checkCall(shape, changed, bytes, bytes.size());
    }
  }
}

void checkAnswer(const CallShape& shape, const TestAnswer& answer) {
  OddBytes room(wireHeadBytesMax);
  uint8_t* const end = room.data() + room.size();
  const uint8_t* from = writeAnswerHead(shape, streamId, answer.callId, int64_t(answer.rows),
                                        {answer.queuedUs, answer.computedUs}, end);
  check(from >= room.data() && from < end, "an answer's head fits its room");
  const Bytes expected = answerFrame(streamId, answer);
  const size_t headBytes = size_t(end - from);
  check(headBytes + answer.data.size() == expected.size() &&
            std::equal(from, static_cast<const uint8_t*>(end), expected.begin()),
        "an answer is written as its twin");
}

void testAnswers(Random& random, Format format) {
  const std::vector<int64_t> widths = {32, 96, 128, 4096};
  const std::vector<int64_t> counts = {1, 2, 127, 128, 1000};
  for (const int64_t width : widths) {
    const CallShape shape = shapeOf(format, width);
    for (const int64_t rows : counts) {
      TestAnswer answer = {0, 0, 0, replyCode(format), uint64_t(rows), uint64_t(width), {}};
      answer.data.resize(size_t(rows * rowBytes(replyFormat(format), width)));
      if (answer.data.size() > 1'000'000) {  // the longest of all, and few of them
        answer.callId = answer.queuedUs = answer.computedUs = UINT64_MAX;
        checkAnswer(shape, answer);
        continue;
      }
      for (const uint64_t callId : trickyIds) {
        answer.callId = callId;
        answer.queuedUs = trickyIds[random.next() % trickyIds.size()];
        answer.computedUs = trickyIds[random.next() % trickyIds.size()];
        checkAnswer(shape, answer);
      }
    }
  }
}

}  // namespace

void testWire() {
  Random random(11);
  for (const Format format : allFormats) {
    for (const int64_t width : {1, 17, 32, 96}) {
      if (isQuantised(format) && width % quantBlockSize != 0) continue;
      const CallShape shape = shapeOf(format, width);
      testCalls(random, shape);
      testPrefixes(random, shape);
      testFinite(random, shape);
    }
    testAnswers(random, format);
  }
}

}  // namespace octet::selftest
