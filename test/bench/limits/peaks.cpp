#include "peaks.h"

#include <cstring>

namespace {

/** Where results go that nobody reads, so that the loops are not left out. */
volatile uint64_t sink;

/** Enough independent sums to hide the latency of any of these instructions, on any CPU. */
constexpr int portableLanes = 256;

int64_t portableF32(int64_t rounds) {
  float sums[portableLanes] = {};
  float factors[portableLanes];
  for (int i = 0; i < portableLanes; i++) factors[i] = 0.5f + static_cast<float>(i) / 1024;
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < portableLanes; i++) sums[i] = sums[i] * factors[i] + factors[i];
  }
  float total = 0;
  for (float sum : sums) total += sum;
  sink = static_cast<uint64_t>(total);
  return rounds * portableLanes * 2;
}

int64_t portableInt8(int64_t rounds) {
  int32_t sums[portableLanes] = {};
  int8_t factors[portableLanes];
  for (int i = 0; i < portableLanes; i++) factors[i] = static_cast<int8_t>(i);
  for (int64_t round = 0; round < rounds; round++) {
    const int32_t x = static_cast<int8_t>(round);
    for (int i = 0; i < portableLanes; i++) sums[i] += x * factors[i];
  }
  uint32_t total = 0;
  for (int32_t sum : sums) total += static_cast<uint32_t>(sum);
  sink = total;
  return rounds * portableLanes * 2;
}

void portableRead(const uint8_t* data, size_t bytes) {
  uint64_t sums[8] = {};
  for (size_t at = 0; at < bytes; at += 64) {
    uint64_t words[8];
    std::memcpy(words, data + at, 64);
    for (int i = 0; i < 8; i++) sums[i] ^= words[i];
  }
  for (uint64_t sum : sums) sink = sum;
}

#if defined(__x86_64__)

// The loops are spelled out in assembly: where a compiler keeps a sum in memory, the limit halves.
// Twelve independent sums, in registers 0 to 11, hide the latency of any of these instructions;
// register 15 holds the factors.
constexpr int numSums = 12;

#define OCTET_TWELVE(step)                                    \
  step("0") step("1") step("2") step("3") step("4") step("5") \
  step("6") step("7") step("8") step("9") step("10") step("11")
#define OCTET_CLEAR(sum) "vpxor %%xmm" sum ", %%xmm" sum ", %%xmm" sum "\n"
#define OCTET_LOOP(wide, step)                                                   \
  asm volatile("vbroadcastss %[factors], %%" wide "15\n" OCTET_TWELVE(OCTET_CLEAR) \
               "1:\n" OCTET_TWELVE(step) "dec %[left]\njnz 1b\nvzeroupper\n"     \
               : [left] "+r"(left)                                               \
               : [factors] "m"(factors)                                          \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",   \
                 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15")

int64_t avx512Int8(int64_t rounds) {
  int64_t left = rounds;
  const uint32_t factors = 0x01010101;
#define OCTET_STEP(sum) "vpdpbusd %%zmm15, %%zmm15, %%zmm" sum "\n"
  OCTET_LOOP("zmm", OCTET_STEP);
#undef OCTET_STEP
  return rounds * numSums * 64 * 2;
}

int64_t avx512Bf16(int64_t rounds) {
  int64_t left = rounds;
  const uint32_t factors = 0x3f803f80;  // 1 and 1
#define OCTET_STEP(sum) "vdpbf16ps %%zmm15, %%zmm15, %%zmm" sum "\n"
  OCTET_LOOP("zmm", OCTET_STEP);
#undef OCTET_STEP
  return rounds * numSums * 32 * 2;
}

int64_t avx512F32(int64_t rounds) {
  int64_t left = rounds;
  const float factors = 1;
#define OCTET_STEP(sum) "vfmadd231ps %%zmm15, %%zmm15, %%zmm" sum "\n"
  OCTET_LOOP("zmm", OCTET_STEP);
#undef OCTET_STEP
  return rounds * numSums * 16 * 2;
}

int64_t avx2F32(int64_t rounds) {
  int64_t left = rounds;
  const float factors = 1;
#define OCTET_STEP(sum) "vfmadd231ps %%ymm15, %%ymm15, %%ymm" sum "\n"
  OCTET_LOOP("ymm", OCTET_STEP);
#undef OCTET_STEP
  return rounds * numSums * 8 * 2;
}

/** Without VNNI: products of neighbours into i16, of those into i32, and the sum. */
int64_t avx2Int8(int64_t rounds) {
  int64_t left = rounds;
  const uint32_t factors = 0x00010001;  // ones for both of the multiplications
#define OCTET_STEP(sum)                      \
  "vpmaddubsw %%ymm15, %%ymm15, %%ymm14\n"   \
  "vpmaddwd %%ymm15, %%ymm14, %%ymm14\n"     \
  "vpaddd %%ymm14, %%ymm" sum ", %%ymm" sum "\n"
  OCTET_LOOP("ymm", OCTET_STEP);
#undef OCTET_STEP
  return rounds * numSums * 32 * 2;
}

/** Eight loads in a row, the first at `data + at`. */
#define OCTET_LOADS(load)                                                                    \
  asm volatile(load("0") load("1") load("2") load("3") load("4") load("5") load("6") load("7") \
               :                                                                             \
               : "r"(data + at)                                                              \
               : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7")

void avx512Read(const uint8_t* data, size_t bytes) {
#define OCTET_LOAD(nth) "vmovdqu64 " nth "*64(%0), %%zmm" nth "\n"
  for (size_t at = 0; at < bytes; at += 512) OCTET_LOADS(OCTET_LOAD);
#undef OCTET_LOAD
  asm volatile("vzeroupper");
}

void avx2Read(const uint8_t* data, size_t bytes) {
#define OCTET_LOAD(nth) "vmovdqu " nth "*32(%0), %%ymm" nth "\n"
  for (size_t at = 0; at < bytes; at += 256) OCTET_LOADS(OCTET_LOAD);
#undef OCTET_LOAD
  asm volatile("vzeroupper");
}

bool hasAvx512() { return __builtin_cpu_supports("avx512f"); }
bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

#endif

}  // namespace

Peak int8Peak() {
#if defined(__x86_64__)
  if (hasAvx512() && __builtin_cpu_supports("avx512vnni")) return {"avx512-vpdpbusd", avx512Int8};
  if (hasAvx2()) return {"avx2-vpmaddubsw", avx2Int8};
#endif
  return {"portable", portableInt8};
}

Peak bf16Peak() {
#if defined(__x86_64__)
  if (hasAvx512() && __builtin_cpu_supports("avx512bf16")) return {"avx512-vdpbf16ps", avx512Bf16};
#endif
  return f32Peak();
}

Peak f32Peak() {
#if defined(__x86_64__)
  if (hasAvx512()) return {"avx512-vfmadd", avx512F32};
  if (hasAvx2()) return {"avx2-vfmadd", avx2F32};
#endif
  return {"portable", portableF32};
}

Reader reader() {
#if defined(__x86_64__)
  if (hasAvx512()) return {"avx512", avx512Read};
  if (hasAvx2()) return {"avx2", avx2Read};
#endif
  return {"portable", portableRead};
}
