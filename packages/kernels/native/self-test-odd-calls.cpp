// Frames that are not quite calls: whatever is odd about them, they are left alone.
#include <algorithm>
#include <functional>

#include "self-test-wire.h"

namespace octet::selftest {

namespace {

// Frames made of one call's fields, as somebody else might send them.
class OddCalls {
 public:
  OddCalls(Random& random, const CallShape& shape)
      : random_(random), shape_(shape), call_(randomCall(random, shape, 2)) {
    call_.expertId = 7;
  }

  void run() {
    testOrders();
    testRepeatedAndStrange();
    testMissing();
    testLengths();
    testPadding();
    testValues();
    testFrames();
  }

 private:
  using Fields = std::vector<Bytes>;

  Bytes frame(const Fields& call) const { return messageFrame(streamId, nested(1, join(call))); }
  Bytes frame(const Fields& call, const Fields& rows) const {
    Fields fields = call;
    for (Bytes& field : fields) {
      if (field[0] == 4 * 8 + 2) field = nested(4, join(rows));
    }
    return frame(fields);
  }

  Fields rows() const { return rowsFields(call_); }
  Fields fields() const { return callFields(call_, join(rows())); }

  void checkOther(const Bytes& bytes, const char* rule) const {
    check(kindOf(shape_, bytes) == FrameKind::other, std::string("not for the fast path: ") + rule);
  }

  // With one field of either message replaced, or with more.
  void checkOtherFields(const std::function<void(Fields&)>& change, const char* rule) const {
    Fields call = fields(), inner = rows();
    change(call);
    checkOther(frame(call), rule);
    change(inner);
    checkOther(frame(fields(), inner), rule);
  }

  void testOrders() const {
    for (int i = 0; i < 100; i++) {
      Fields call = fields(), inner = rows();
      for (size_t k = 3; k > 0; k--) {
        std::swap(call[k], call[random_.next() % (k + 1)]);
        std::swap(inner[k], inner[random_.next() % (k + 1)]);
      }
      std::swap(call[4], call[random_.next() % 5]);
      const Bytes bytes = frame(call, inner);
      if (kindOf(shape_, bytes) != FrameKind::other) checkCall(shape_, call_, bytes, bytes.size());
    }
  }

  void testRepeatedAndStrange() const {
    for (size_t i = 0; i < 4; i++) {
      checkOtherFields([&](Fields& all) { all.push_back(all[i]); }, "a field twice");
    }
    Fields call = fields();
    call.push_back(call[4]);
    checkOther(frame(call), "rows twice");
    const Bytes fixed64 = {1 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8}, fixed32 = {3 * 8 + 5, 1, 2, 3, 4};
    const Fields strange = {number(0, 1),  number(6, 1),  number(15, 1), number(16, 1),
                            nested(6, {}), nested(5, {}), fixed64,       fixed32,
                            {7 * 8 + 3},   {7 * 8 + 4},   {0xff},        {0}};
    for (const Bytes& field : strange) {
      checkOtherFields([&](Fields& all) { all.push_back(field); }, "a strange field at the end");
      checkOtherFields([&](Fields& all) { all.insert(all.begin(), field); }, "a strange field");
    }
    const Bytes message = nested(1, join(fields()));
    checkOther(messageFrame(streamId, join({message, message})), "two calls in a message");
    checkOther(messageFrame(streamId, join({message, number(1, 1)})), "more after the call");
    checkOther(messageFrame(streamId, nested(2, number(1, call_.callId))), "a cancel");
    checkOther(messageFrame(streamId, nested(2, join(fields()))), "a call in another field");
    checkOther(messageFrame(streamId, number(1, 5)), "a number where the call should be");
    checkOther(messageFrame(streamId, {1 * 8 + 2}), "a call without a length");
    checkOther(messageFrame(streamId, nested(1, {})), "an empty call");
    checkOther(messageFrame(streamId, {}), "an empty message");
  }

  // A number that is not there is nought: right for an id, and for nothing else.
  void testMissing() const {
    for (size_t i = 0; i < 5; i++) {
      Fields call = fields();
      call.erase(call.begin() + ptrdiff_t(i));
      TestCall expected = call_;
      if (i == 0) expected.callId = 0;
      if (i == 1) expected.layer = 0;
      if (i == 2) expected.expertId = 0;
      const Bytes bytes = frame(call);
      if (i < 3) checkCall(shape_, expected, bytes, bytes.size());
      else checkOther(bytes, "no timeout, or no rows");
    }
    for (size_t i = 0; i < 4; i++) {
      Fields inner = rows();
      inner.erase(inner.begin() + ptrdiff_t(i));
      checkOther(frame(fields(), inner), "something of the rows is missing");
    }
  }

  void testLengths() const {
    const Bytes inner = join(rows()), call = join(fields());
    for (const int64_t skew : {-3, -2, -1, 1, 2, 3, 127, 1 << 20}) {
      Fields wrongRows = rows(), wrong = fields();
      wrongRows[3] = nested(4, call_.data, {skew});
      checkOther(frame(fields(), wrongRows), "a wrong length of the data");
      wrong[4] = nested(4, inner, {skew});
      checkOther(frame(wrong), "a wrong length of the rows");
      checkOther(messageFrame(streamId, nested(1, call, {skew})), "a wrong length of the call");
      FrameSkew ofMessage, ofFrame;
      ofMessage.messageLength = skew;
      checkOther(messageFrame(streamId, nested(1, call), ofMessage), "a message's wrong length");
      ofFrame.frameLength = std::min<int64_t>(skew, 3);
      const Bytes wrongFrame = messageFrame(streamId, nested(1, call), ofFrame);
      checkOther(join({wrongFrame, Bytes(3)}), "a frame too short, or too long");
    }
    const Fields lengths = {varintBytes(UINT64_MAX), varintBytes(1ull << 63), Bytes(11, 0xff)};
    for (const Bytes& length : lengths) {
      Fields wrong = rows();
      wrong[3] = join({{4 * 8 + 2}, length, call_.data});
      checkOther(frame(fields(), wrong), "data of a monstrous length");
      checkOther(messageFrame(streamId, join({{1 * 8 + 2}, length, call})), "a monstrous call");
    }
    for (const ptrdiff_t change : {-1, 1}) {
      TestCall wrong = call_;
      wrong.data.resize(size_t(ptrdiff_t(wrong.data.size()) + change));
      checkOther(callFrame(streamId, wrong), "too few data, or too many");
    }
  }

  // Numbers and lengths in more bytes than they need.
  void testPadding() const {
    const uint64_t inCall[] = {call_.callId, call_.layer, call_.expertId, call_.timeoutMs};
    const uint32_t callNumbers[] = {1, 2, 3, 5};
    const uint64_t inRows[] = {call_.dtype, call_.rows, call_.width};
    for (const int padding : {1, 2, 7, 8, 9, 10, 20}) {
      for (size_t i = 0; i < 4; i++) {
        Fields call = fields();
        call[i] = number(callNumbers[i], inCall[i], padding);
        checkOther(frame(call), "a padded number of a call");
      }
      for (size_t i = 0; i < 3; i++) {
        Fields inner = rows();
        inner[i] = number(uint32_t(i) + 1, inRows[i], padding);
        checkOther(frame(fields(), inner), "a padded number of rows");
      }
      Fields call = fields(), inner = rows();
      call[4] = nested(4, join(rows()), {0, padding});
      checkOther(frame(call), "a padded length of rows");
      inner[3] = nested(4, call_.data, {0, padding});
      checkOther(frame(fields(), inner), "a padded length of data");
      checkOther(messageFrame(streamId, nested(1, join(fields()), {0, padding})), "a padded call");
    }
    Fields call = fields();
    call[0] = join({{1 * 8}, Bytes(9, 0xff), {2}});
    checkOther(frame(call), "an id of 65 bits");
    call[0] = {1 * 8};
    std::rotate(call.begin(), call.begin() + 1, call.end());
    checkOther(frame(call), "an id that is cut off");
    call.back() = {1 * 8, 0x80};
    checkOther(frame(call), "an id that is cut off within");
  }

  void testValues() const {
    using Numbers = std::vector<uint64_t>;
    constexpr uint64_t two32 = 1ull << 32;
    const auto refuse = [&](const char* rule, const std::function<void(TestCall&)>& change) {
      TestCall call = call_;
      change(call);
      checkOther(callFrame(streamId, call), rule);
    };
    for (const uint64_t dtype : Numbers{0, 1, 2, 3, 4, call_.dtype + two32}) {
      if (dtype == call_.dtype) continue;
      refuse("another dtype", [&](TestCall& call) { call.dtype = dtype; });
    }
    const uint64_t w = call_.width;
    for (const uint64_t width : Numbers{0, w - 1, w + 1, 2 * w, w + two32}) {
      refuse("another width", [&](TestCall& call) { call.width = width; });
    }
    const uint64_t tooMany = uint64_t(shape_.rowsMax) + 1;
    for (const uint64_t rows : Numbers{0, 1, 3, tooMany, two32 + 2, two32 / 2, UINT64_MAX}) {
      refuse("rows that are not there", [&](TestCall& call) { call.rows = rows; });
    }
    for (const uint64_t rows : Numbers{0, tooMany}) {
      refuse("no rows, or too many", [&](TestCall& call) {
        call.rows = rows;
        call.data = Bytes(rows * size_t(shape_.inputRowBytes()));
      });
    }
    for (const uint64_t layer : Numbers{shape_.numLayers, UINT32_MAX, two32}) {
      refuse("a layer that is not held", [&](TestCall& call) { call.layer = layer; });
    }
    for (const uint64_t expertId : Numbers{1, UINT32_MAX, two32 + 7}) {
      refuse("an expert that is not held", [&](TestCall& call) { call.expertId = expertId; });
    }
    for (const uint64_t timeoutMs : Numbers{0, two32, UINT64_MAX}) {
      refuse("no time to answer", [&](TestCall& call) { call.timeoutMs = timeoutMs; });
    }
  }

  void testFrames() const {
    const Bytes message = nested(1, join(fields()));
    for (int flags = 1; flags < 256; flags++) {
      FrameSkew skew;
      skew.flags = uint8_t(flags);
      checkOther(messageFrame(streamId, message, skew), "flags of DATA");
      skew = {};
      skew.type = uint8_t(flags);
      checkOther(messageFrame(streamId, message, skew), "another type of frame");
      skew = {};
      skew.compressed = uint8_t(flags);
      checkOther(messageFrame(streamId, message, skew), "a compressed message");
    }
    for (const uint32_t other : {0u, 1u, 7u, streamId + 0x80000000u, streamId + 256}) {
      checkOther(messageFrame(other, message), "another stream");
    }
    for (size_t length = 0; length <= messagePrefixBytes; length++) {
      checkOther(frameOf(streamId, Bytes(length)), "a frame without a message");
    }
    // Told by its head already: it would never fit in the buffer.
    FrameSkew skew;
    for (const int64_t length : {int64_t(callFrameBytesMax(shape_)) - 8, int64_t(0xffffff)}) {
      skew.frameLength = length;
      checkOther(frameOf(streamId, {}, skew), "a frame too long");
    }
    checkOther(messageFrame(streamId, join({message, Bytes(200)})), "a message and much more");
  }

  Random& random_;
  const CallShape shape_;
  TestCall call_;
};

}  // namespace

void testOddCalls() {
  Random random(13);
  for (const Format format : allFormats) {
    for (const int64_t width : {1, 17, 32, 96}) {
      if (isQuantised(format) && width % quantBlockSize != 0) continue;
      OddCalls(random, shapeOf(format, width)).run();
    }
  }
}

}  // namespace octet::selftest
