// Where the elements of one KV head lie in a block.
//
//   keys    [slot / 16][dim][slot % 16]     sixteen positions of one dimension are one vector
//   values  [dim / 16][slot][dim % 16]      sixteen dimensions of one position are one vector
//
// Either is columns of sixteen lanes, in which a step goes to the next dimension or position. bf16
// steps lie in pairs, [step / 2][lane][step % 2], so that one shift or one mask widens a vector.
// Slots are padded to a multiple of sixteen, and so are dimensions; the padding is never written.
#pragma once

#include "kernel-table.h"
#include "vec16.h"

namespace octet::OCTET_ISA {

struct F32Column {
  static constexpr int64_t bytes = 4;
  OCTET_INLINE int64_t at(int64_t lane, int64_t step) { return (step * kvLanes + lane) * bytes; }
  // Of two steps, from an even one.
  OCTET_INLINE Vec16 even(const uint8_t* pair) { return load(pair); }
  OCTET_INLINE Vec16 odd(const uint8_t* pair) { return load(pair + kvLanes * bytes); }
  OCTET_INLINE void round(Vec16 a, uint8_t* to) { store(reinterpret_cast<float*>(to), a); }
};

struct Bf16Column {
  static constexpr int64_t bytes = 2;
  OCTET_INLINE int64_t at(int64_t lane, int64_t step) {
    return (step / 2 * (2 * kvLanes) + lane * 2 + step % 2) * bytes;
  }
  OCTET_INLINE Vec16 even(const uint8_t* pair) { return widenLowerBf16(load(pair)); }
  OCTET_INLINE Vec16 odd(const uint8_t* pair) { return widenUpperBf16(load(pair)); }
  OCTET_INLINE void round(Vec16 a, uint8_t* to) { storeBf16(to, a); }
};

}  // namespace octet::OCTET_ISA
