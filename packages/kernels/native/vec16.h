// Sixteen f32 lanes and exact integer dot products, in the instruction set this file is built for.
// OCTET_ISA names it, and the namespace of everything built with it: functions compiled with other
// flags never share a symbol, so no build can end up calling another's instructions.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#define OCTET_INLINE static inline __attribute__((always_inline))

// Before a loop of few, constant rounds whose arrays are to live in registers.
#if defined(__clang__)
#define OCTET_UNROLL _Pragma("clang loop unroll(full)")
#else
#define OCTET_UNROLL _Pragma("GCC unroll 16")
#endif

namespace octet {
// Of quantised weights in one vector: sixteen rows by four.
constexpr int64_t panelVectorBytes = 64;
// Of a weight's scale: bf16.
constexpr int64_t scaleElementBytes = 2;
}  // namespace octet

#if defined(OCTET_AVX512)
#define OCTET_ISA avx512
#include "vec16-avx512.h"
#elif defined(OCTET_AVX2)
#define OCTET_ISA avx2
#include "vec16-avx2.h"
#elif defined(OCTET_NEON)
#define OCTET_ISA neon
#include "vec16-neon.h"
#else
#define OCTET_ISA portable
#include "vec16-portable.h"
#endif

namespace octet::OCTET_ISA {

// Asks memory for a cache line that will be read soon; any address will do.
OCTET_INLINE void prefetch(const void* from) { __builtin_prefetch(from, 0, 3); }

// The first `count` of sixteen lanes from memory, the rest zero.
OCTET_INLINE Vec16 loadPart(const void* from, int64_t count) {
  float lanes[16] = {};
  memcpy(lanes, from, size_t(count) * sizeof(float));
  return load(lanes);
}

OCTET_INLINE void storePart(float* to, Vec16 a, int64_t count) {
  float lanes[16];
  store(lanes, a);
  memcpy(to, lanes, size_t(count) * sizeof(float));
}

OCTET_INLINE Vec16 loadBf16Part(const void* from, int64_t count) {
  uint16_t lanes[16] = {};
  memcpy(lanes, from, size_t(count) * sizeof(uint16_t));
  return loadBf16(lanes);
}

OCTET_INLINE void storeBf16Part(uint8_t* to, Vec16 a, int64_t count) {
  uint16_t lanes[16];
  storeBf16(lanes, a);
  memcpy(to, lanes, size_t(count) * sizeof(uint16_t));
}

}  // namespace octet::OCTET_ISA
