// The two messages of expert.proto that the fast path reads and writes, each as one DATA frame of
// HTTP/2, in the form that our own ends give them (packages/protocol: forward-encoding.ts).
// Everything else is "other", and the service's to read.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vector>

#include "row-format.h"

namespace octet {

// What calls may ask, and what answers look like.
struct CallShape {
  Format weights;
  int64_t width;
  int64_t rowsMax;  // of one call
  uint32_t numLayers;
  std::vector<uint32_t> expertIds;

  int64_t inputRowBytes() const { return rowBytes(weights, width); }
  int64_t replyRowBytes() const { return rowBytes(replyFormat(weights), width); }
};

// A call that may be computed; its rows are finite, and lie where the frame lies.
struct WireCall {
  uint64_t callId;
  uint32_t layer;
  size_t expertIndex;  // in CallShape::expertIds
  uint32_t timeoutMs;
  int64_t rows;
  const uint8_t* data;
  const uint8_t* frame;
  size_t frameBytes;
};

struct WireTimings {
  uint64_t queuedUs;
  uint64_t computedUs;
};

enum class FrameKind { incomplete, call, other };

struct WireFrame {
  FrameKind kind;
  WireCall call;  // if it is one
};

constexpr size_t frameHeadBytes = 9;
constexpr size_t messagePrefixBytes = 5;
// Longest that stands before a message's rows: both heads, and ten fields of at most eleven bytes.
constexpr size_t wireHeadBytesMax = 128;

// Longest frame that can be a call.
size_t callFrameBytesMax(const CallShape& shape);

// Reads the frame that `bytes` begin with.
WireFrame readCallFrame(const CallShape& shape, uint32_t streamId, const uint8_t* bytes,
                        size_t count);

// Writes an answer's frame up to its rows, so that it ends at `end`, with wireHeadBytesMax bytes of
// room before it. Returns where it begins.
uint8_t* writeAnswerHead(const CallShape& shape, uint32_t streamId, uint64_t callId, int64_t rows,
                         const WireTimings& timings, uint8_t* end);

}  // namespace octet
