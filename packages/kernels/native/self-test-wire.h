// Messages of expert.proto and frames of HTTP/2, written slowly and obviously: what expert-wire is
// held against.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu-isa.h"
#include "expert-wire.h"
#include "self-test.h"

namespace octet::selftest {

using Bytes = std::vector<uint8_t>;

inline Bytes join(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Bytes bigEndian(uint64_t value, int count) {
  Bytes bytes;
  for (int i = count - 1; i >= 0; i--) bytes.push_back(uint8_t(value >> (8 * i)));
  return bytes;
}

// With `padding` more bytes than it needs.
inline Bytes varintBytes(uint64_t value, int padding = 0) {
  Bytes bytes;
  for (; value >= 128; value /= 128) bytes.push_back(uint8_t(value % 128 + 128));
  bytes.push_back(uint8_t(value));
  for (int i = 0; i < padding; i++) {
    bytes.back() |= 128;
    bytes.push_back(0);
  }
  return bytes;
}

inline Bytes number(uint32_t field, uint64_t value, int padding = 0) {
  return join({varintBytes(field * 8), varintBytes(value, padding)});
}

// What a length says beyond the truth, and how many bytes too many it takes.
struct Skew {
  int64_t length = 0;
  int padding = 0;
};

inline Bytes nested(uint32_t field, const Bytes& content, Skew skew = {}) {
  const Bytes length = varintBytes(uint64_t(int64_t(content.size()) + skew.length), skew.padding);
  return join({varintBytes(field * 8 + 2), length, content});
}

struct FrameSkew {
  int64_t frameLength = 0;
  int64_t messageLength = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint8_t compressed = 0;
};

inline Bytes frameOf(uint32_t streamId, const Bytes& payload, FrameSkew skew = {}) {
  const uint64_t length = uint64_t(int64_t(payload.size()) + skew.frameLength);
  return join({bigEndian(length, 3), {skew.type, skew.flags}, bigEndian(streamId, 4), payload});
}

inline Bytes messageFrame(uint32_t streamId, const Bytes& message, FrameSkew skew = {}) {
  const uint64_t length = uint64_t(int64_t(message.size()) + skew.messageLength);
  return frameOf(streamId, join({{skew.compressed}, bigEndian(length, 4), message}), skew);
}

// ActivationDtype of what travels to an expert, and of what comes back.
inline uint32_t dispatchCode(Format weights) {
  return isQuantised(weights) ? 3 : weights == Format::bf16 ? 2 : 1;
}
inline uint32_t replyCode(Format weights) {
  return weights == Format::f32 || weights == Format::f16 ? 1 : 2;
}

struct TestCall {
  uint64_t callId;
  uint64_t layer;
  uint64_t expertId;
  uint64_t timeoutMs;
  uint64_t dtype;
  uint64_t rows;
  uint64_t width;
  Bytes data;
};

// The fields of both messages of a call, in the order they are sent.
inline std::vector<Bytes> rowsFields(const TestCall& call) {
  return {number(1, call.dtype), number(2, call.rows), number(3, call.width), nested(4, call.data)};
}
inline std::vector<Bytes> callFields(const TestCall& call, const Bytes& rows) {
  return {number(1, call.callId), number(2, call.layer), number(3, call.expertId),
          number(5, call.timeoutMs), nested(4, rows)};
}

inline Bytes callFrame(uint32_t streamId, const TestCall& call) {
  const Bytes message = join(callFields(call, join(rowsFields(call))));
  return messageFrame(streamId, nested(1, message));
}

struct TestAnswer {
  uint64_t callId;
  uint64_t queuedUs;
  uint64_t computedUs;
  uint64_t dtype;
  uint64_t rows;
  uint64_t width;
  Bytes data;
};

inline Bytes answerFrame(uint32_t streamId, const TestAnswer& answer) {
  const Bytes timings = join({number(1, answer.queuedUs), number(2, answer.computedUs)});
  const Bytes rows = join({number(1, answer.dtype), number(2, answer.rows),
                           number(3, answer.width), nested(4, answer.data)});
  return messageFrame(streamId, join({number(1, answer.callId), nested(4, timings),
                                      nested(2, rows)}));
}

// Finite rows in their travelling form.
inline Bytes randomRows(Random& random, Format weights, int64_t width, int64_t rows) {
  const size_t stride = size_t(rowBytes(weights, width));
  Bytes data(size_t(rows) * stride);
  for (int64_t row = 0; row < rows; row++) {
    const std::vector<float> x = randomReals(random, size_t(width));
    kernelsPortable().encode(weights, x.data(), width, data.data() + size_t(row) * stride);
  }
  return data;
}

// A call that may be computed, for one of the held experts.
inline TestCall randomCall(Random& random, const CallShape& shape, int64_t rows) {
  const uint32_t expertId = shape.expertIds[random.next() % shape.expertIds.size()];
  return {random.next(),
          random.next() % shape.numLayers,
          expertId,
          1 + random.next() % 100'000,
          dispatchCode(shape.weights),
          uint64_t(rows),
          uint64_t(shape.width),
          randomRows(random, shape.weights, shape.width, rows)};
}

inline const std::vector<uint64_t> trickyIds = {0,          1,          127,
                                                128,        16383,      16384,
                                                1ull << 32, 1ull << 53, (1ull << 63) + 5,
                                                UINT64_MAX};

// The stream and the shapes of calls of the tests of reading and writing.
constexpr uint32_t streamId = 5;

inline CallShape shapeOf(Format format, int64_t width) {
  return {format, width, 4, 3, {0, 7, 200, 63}};
}

// Reads bytes that end where their memory ends.
template <class Found>
void readExact(const CallShape& shape, const Bytes& bytes, const Found& found) {
  OddBytes exact(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.data());
  found(readCallFrame(shape, streamId, exact.data(), exact.size()), exact.data());
}

inline FrameKind kindOf(const CallShape& shape, const Bytes& bytes) {
  FrameKind kind = FrameKind::incomplete;
  readExact(shape, bytes, [&](const WireFrame& frame, const uint8_t*) { kind = frame.kind; });
  return kind;
}

// Checks that the first `size` bytes are read as the call.
inline void checkCall(const CallShape& shape, const TestCall& call, const Bytes& bytes,
                      size_t size) {
  readExact(shape, bytes, [&](const WireFrame& frame, const uint8_t* begin) {
    check(frame.kind == FrameKind::call, "a call is read");
    const WireCall& found = frame.call;
    check(found.callId == call.callId, "a call's id is read");
    check(found.layer == call.layer && found.timeoutMs == call.timeoutMs, "its numbers are read");
    check(shape.expertIds[found.expertIndex] == call.expertId, "its expert is found");
    check(found.rows == int64_t(call.rows), "its rows are counted");
    check(found.frame == begin && found.frameBytes == size, "its frame ends where it ends");
    check(std::equal(call.data.begin(), call.data.end(), found.data), "its rows are found");
  });
}

}  // namespace octet::selftest
