// Calls with random damage: read without harm, and whatever passes for a call is one.
#include <algorithm>

#include "self-test-wire.h"

namespace octet::selftest {

namespace {

constexpr int damagedFrames = 300'000;

// Most of what can go wrong is in the first bytes.
size_t place(Random& random, size_t size) {
  const size_t within = random.next() % 4 > 0 ? std::min<size_t>(size, 48) : size;
  return random.next() % (within + 1);
}

void damage(Random& random, Bytes& bytes, const Bytes& other) {
  const auto at = [&] { return bytes.begin() + ptrdiff_t(place(random, bytes.size())); };
  const uint8_t special[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x08, 0x0a, 0x22};
  const uint32_t bit = random.next() % 8;
  switch (random.next() % 6) {
    case 0:
      if (!bytes.empty()) bytes[place(random, bytes.size() - 1)] ^= uint8_t(1u << bit);
      break;
    case 1:
      if (!bytes.empty()) bytes[place(random, bytes.size() - 1)] = special[random.next() % 8];
      break;
    case 2:
      bytes.insert(at(), 1 + random.next() % 12, special[random.next() % 8]);
      break;
    case 3: {
      const auto from = at();
      bytes.erase(from, from + std::min<ptrdiff_t>(bytes.end() - from, 1 + random.next() % 12));
      break;
    }
    case 4:
      bytes.erase(at(), bytes.end());
      break;
    case 5: {
      const auto from = at();
      bytes.erase(from, bytes.end());
      const size_t rest = place(random, other.size());
      bytes.insert(bytes.end(), other.begin() + ptrdiff_t(rest), other.end());
      break;
    }
  }
}

// Makes the frame's and the message's length right again, so that what is within them is read.
void mend(Bytes& bytes) {
  if (bytes.size() < frameHeadBytes + messagePrefixBytes) return;
  const size_t length = bytes.size() - frameHeadBytes;
  const Bytes frame = bigEndian(length, 3), message = bigEndian(length - messagePrefixBytes, 4);
  std::copy(frame.begin(), frame.end(), bytes.begin());
  std::copy(message.begin(), message.end(), bytes.begin() + frameHeadBytes + 1);
}

void checkWithin(const CallShape& shape, const WireCall& call, const OddBytes& bytes,
                 const uint8_t* begin) {
  check(call.frame == begin && call.frameBytes <= bytes.size(), "a call's frame is what came");
  check(call.layer < shape.numLayers && call.expertIndex < shape.expertIds.size(),
        "a call's expert is held");
  check(call.rows >= 1 && call.rows <= shape.rowsMax && call.timeoutMs > 0,
        "a call's numbers are within their limits");
  check(call.data >= begin + frameHeadBytes &&
            call.data + call.rows * shape.inputRowBytes() <= begin + call.frameBytes,
        "a call's rows are within its frame");
}

}  // namespace

void testWireFuzz() {
  Random random(12);
  std::vector<CallShape> shapes;
  std::vector<std::vector<Bytes>> whole;  // some calls of each shape
  for (const Format format : allFormats) {
    shapes.push_back({format, 32, 3, 2, {0, 1, 7, 200}});
    whole.emplace_back();
    for (int i = 0; i < 16; i++) {
      const TestCall call = randomCall(random, shapes.back(), 1 + i % 3);
      whole.back().push_back(callFrame(streamId, call));
    }
  }
  int found[3] = {};
  for (int i = 0; i < damagedFrames; i++) {
    const size_t which = random.next() % shapes.size();
    Bytes bytes = whole[which][random.next() % 16];
    const Bytes& other = whole[random.next() % shapes.size()][random.next() % 16];
    for (uint32_t k = random.next() % 4 + 1; k > 0; k--) damage(random, bytes, other);
    if (random.next() % 2 == 0) mend(bytes);
    OddBytes exact(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.data());
    const CallShape& shape = shapes[which];
    const WireFrame frame = readCallFrame(shape, streamId, exact.data(), exact.size());
    found[int(frame.kind)]++;
    if (frame.kind == FrameKind::call) checkWithin(shape, frame.call, exact, exact.data());
  }
  for (const int count : found) check(count > damagedFrames / 1000, "damage has every outcome");
}

}  // namespace octet::selftest
