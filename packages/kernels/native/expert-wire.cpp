#include "expert-wire.h"

#include <string.h>

namespace octet {

namespace {

constexpr uint8_t dataFrame = 0;

// ActivationDtype of expert.proto.
uint32_t dtypeCode(Format activations) {
  switch (activations) {
    case Format::f32:
    case Format::f16:
      return 1;
    case Format::bf16:
      return 2;
    case Format::q8:
    case Format::q4:
      return 3;
  }
  return 0;
}

uint32_t readUint24(const uint8_t* at) {
  return uint32_t(at[0]) << 16 | uint32_t(at[1]) << 8 | at[2];
}
uint32_t readUint32(const uint8_t* at) { return uint32_t(at[0]) << 24 | readUint24(at + 1); }

// The fields of one message, each at most once. After anything unusual it is not readable.
class Fields {
 public:
  Fields(const uint8_t* at, const uint8_t* end) : at_(at), end_(end) {}

  bool isReadable() const { return isReadable_; }
  bool isAtEnd() const { return !isReadable_ || at_ == end_; }

  // A field's number and type, in one byte.
  uint32_t tag() {
    const uint8_t tag = *at_++;
    const uint32_t bit = 1u << (tag >> 3);
    if (tag >= 0x80 || (seen_ & bit) != 0) isReadable_ = false;
    seen_ |= bit;
    return tag;
  }

  // In as few bytes as it needs, and 64 bits.
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const uint64_t byte = *at_++;
      if ((shift > 0 && byte == 0) || (shift == 63 && byte > 1)) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    isReadable_ = false;
    return 0;
  }

  uint32_t uint32() {
    const uint64_t value = varint();
    if (value > UINT32_MAX) isReadable_ = false;
    return uint32_t(value);
  }

  Fields message() {
    const uint64_t length = varint();
    if (length > uint64_t(end_ - at_)) isReadable_ = false;
    if (!isReadable_) return Fields(end_, end_);
    const uint8_t* from = at_;
    at_ += length;
    return Fields(from, at_);
  }

  const uint8_t* begin() const { return at_; }
  size_t count() const { return size_t(end_ - at_); }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  uint32_t seen_ = 0;
  bool isReadable_ = true;
};

constexpr uint32_t varintTag(uint32_t field) { return field << 3; }
constexpr uint32_t lengthTag(uint32_t field) { return field << 3 | 2; }

bool isFiniteF32(const uint8_t* from, int64_t count) {
  uint32_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, from + 4 * i, sizeof bits);
    found |= (bits & 0x7f800000u) + 0x00800000u;  // exponents of ones alone carry into the sign
  }
  return (found & 0x80000000u) == 0;
}

bool isFiniteBf16(const uint8_t* from, int64_t count) {
  uint32_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    uint16_t bits;
    memcpy(&bits, from + 2 * i, sizeof bits);
    found |= (bits & 0x7f80u) + 0x0080u;
  }
  return (found & 0x8000u) == 0;
}

bool areFinite(const CallShape& shape, const uint8_t* data, int64_t rows) {
  switch (shape.weights) {
    case Format::f32:
    case Format::f16:
      return isFiniteF32(data, rows * shape.width);
    case Format::bf16:
      return isFiniteBf16(data, rows * shape.width);
    case Format::q8:
    case Format::q4:
      for (int64_t row = 0; row < rows; row++) {
        const uint8_t* scales = data + row * shape.inputRowBytes() + shape.width;
        if (!isFiniteF32(scales, shape.width / quantBlockSize)) return false;
      }
      return true;
  }
  return false;
}

bool readRows(const CallShape& shape, Fields fields, WireCall& call) {
  uint32_t dtype = 0, width = 0, rows = 0;
  Fields data(nullptr, nullptr);
  while (!fields.isAtEnd()) {
    switch (fields.tag()) {
      case varintTag(1):
        dtype = fields.uint32();
        break;
      case varintTag(2):
        rows = fields.uint32();
        break;
      case varintTag(3):
        width = fields.uint32();
        break;
      case lengthTag(4):
        data = fields.message();
        break;
      default:
        return false;
    }
  }
  if (!fields.isReadable() || dtype != dtypeCode(shape.weights) || width != shape.width) {
    return false;
  }
  if (rows < 1 || rows > shape.rowsMax) return false;
  call.rows = rows;
  call.data = data.begin();
  return data.count() == size_t(call.rows * shape.inputRowBytes()) &&
         areFinite(shape, call.data, call.rows);
}

bool readCall(const CallShape& shape, Fields fields, WireCall& call) {
  uint32_t expertId = 0;
  bool hasRows = false;
  while (!fields.isAtEnd()) {
    switch (fields.tag()) {
      case varintTag(1):
        call.callId = fields.varint();
        break;
      case varintTag(2):
        call.layer = fields.uint32();
        break;
      case varintTag(3):
        expertId = fields.uint32();
        break;
      case lengthTag(4): {
        hasRows = true;
        if (!readRows(shape, fields.message(), call)) return false;
        break;
      }
      case varintTag(5):
        call.timeoutMs = fields.uint32();
        break;
      default:
        return false;
    }
  }
  if (!fields.isReadable() || !hasRows) return false;
  if (call.layer >= shape.numLayers || call.timeoutMs == 0) return false;
  for (size_t i = 0; i < shape.expertIds.size(); i++) {
    if (shape.expertIds[i] != expertId) continue;
    call.expertIndex = i;
    return true;
  }
  return false;
}

// Seven bits a byte, lowest first; all but the last have the high bit set.
uint8_t* prependVarint(uint8_t* end, uint64_t value) {
  int size = 1;
  for (uint64_t above = value >> 7; above > 0; above >>= 7) size++;
  for (int i = size - 1; i >= 0; i--) {
    const uint64_t bits = value >> (7 * i) & 0x7f;
    end[i - size] = uint8_t(bits | (i < size - 1 ? 0x80 : 0));
  }
  return end - size;
}

uint8_t* prependNumber(uint8_t* end, uint32_t field, uint64_t value) {
  return prependVarint(prependVarint(end, value), varintTag(field));
}

uint8_t* prependLength(uint8_t* end, uint32_t field, uint64_t length) {
  return prependVarint(prependVarint(end, length), lengthTag(field));
}

uint8_t* prependUint32(uint8_t* end, uint32_t value) {
  for (int i = 1; i <= 4; i++, value >>= 8) end[-i] = uint8_t(value);
  return end - 4;
}

}  // namespace

size_t callFrameBytesMax(const CallShape& shape) {
  return wireHeadBytesMax + size_t(shape.rowsMax * shape.inputRowBytes());
}

WireFrame readCallFrame(const CallShape& shape, uint32_t streamId, const uint8_t* bytes,
                        size_t count) {
  WireFrame frame = {FrameKind::other, {}};
  if (count < frameHeadBytes) {
    frame.kind = FrameKind::incomplete;
    return frame;
  }
  const size_t length = readUint24(bytes);
  if (bytes[3] != dataFrame || bytes[4] != 0 || readUint32(bytes + 5) != streamId) return frame;
  const size_t frameBytes = frameHeadBytes + length;
  if (length <= messagePrefixBytes || frameBytes > callFrameBytesMax(shape)) return frame;
  if (count < frameBytes) {
    frame.kind = FrameKind::incomplete;
    return frame;
  }
  const uint8_t* prefix = bytes + frameHeadBytes;
  if (prefix[0] != 0 || readUint32(prefix + 1) != length - messagePrefixBytes) return frame;
  Fields request(prefix + messagePrefixBytes, bytes + frameBytes);
  if (request.tag() != lengthTag(1)) return frame;
  const Fields call = request.message();
  if (!request.isReadable() || !request.isAtEnd()) return frame;
  if (readCall(shape, call, frame.call)) frame.kind = FrameKind::call;
  frame.call.frame = bytes;
  frame.call.frameBytes = frameBytes;
  return frame;
}

uint8_t* writeAnswerHead(const CallShape& shape, uint32_t streamId, uint64_t callId, int64_t rows,
                         const WireTimings& timings, uint8_t* end) {
  const uint64_t dataBytes = uint64_t(rows * shape.replyRowBytes());
  const auto length = [&](const uint8_t* at) { return uint64_t(end - at) + dataBytes; };
  uint8_t* at = prependLength(end, 4, dataBytes);
  at = prependNumber(at, 3, uint64_t(shape.width));
  at = prependNumber(at, 2, uint64_t(rows));
  at = prependNumber(at, 1, dtypeCode(replyFormat(shape.weights)));
  at = prependLength(at, 2, length(at));
  const uint8_t* timingsEnd = at;
  at = prependNumber(at, 2, timings.computedUs);
  at = prependNumber(at, 1, timings.queuedUs);
  at = prependLength(at, 4, uint64_t(timingsEnd - at));
  at = prependNumber(at, 1, callId);
  const uint64_t messageBytes = length(at);
  at = prependUint32(at, uint32_t(messageBytes));
  *--at = 0;  // not compressed
  const uint64_t payloadBytes = messagePrefixBytes + messageBytes;
  at = prependUint32(at, streamId);
  *--at = 0;  // no flags
  *--at = dataFrame;
  for (int i = 0; i < 3; i++) *--at = uint8_t(payloadBytes >> (8 * i));
  return at;
}

}  // namespace octet
