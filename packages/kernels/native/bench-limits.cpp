#include "bench-limits.h"

#include <math.h>

#include <atomic>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace octet::bench {

namespace {

// Results go here, so that loops are not left out.
std::atomic<uint64_t> sink{0};

using Loop = double (*)(int64_t rounds);

#if defined(__x86_64__)

// As many sums as it takes to hide the latency of one multiply-add.
constexpr int numSums = 12;

__attribute__((target("avx512f"))) double fmaLoop512(int64_t rounds) {
  __m512 sums[numSums];
  for (int i = 0; i < numSums; i++) sums[i] = _mm512_set1_ps(float(i));
  const __m512 factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(1e-3f);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < numSums; i++) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  float lanes[16];
  for (int i = 1; i < numSums; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  _mm512_storeu_ps(lanes, sums[0]);
  sink += uint64_t(lanes[0]);
  return double(rounds) * numSums * 16 * 2;
}

__attribute__((target("avx2,fma"))) double fmaLoop256(int64_t rounds) {
  __m256 sums[numSums];
  for (int i = 0; i < numSums; i++) sums[i] = _mm256_set1_ps(float(i));
  const __m256 factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(1e-3f);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < numSums; i++) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  float lanes[8];
  for (int i = 1; i < numSums; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  _mm256_storeu_ps(lanes, sums[0]);
  sink += uint64_t(lanes[0]);
  return double(rounds) * numSums * 8 * 2;
}

#endif

double fmaLoopPlain(int64_t rounds) {
  float sums[48] = {};
  for (int64_t round = 0; round < rounds; round++) {
    for (float& sum : sums) sum = fmaf(sum, 0.999f, 1e-3f);
  }
  sink += uint64_t(sums[0]);
  return double(rounds) * 48 * 2;
}

Loop widestLoop() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return fmaLoop512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return fmaLoop256;
#endif
  return fmaLoopPlain;
}

}  // namespace

double secondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double readSpeed(ThreadPool& pool, const uint8_t* memory, size_t bytes) {
  constexpr size_t partBytes = size_t(1) << 20;
  const size_t parts = bytes / partBytes;
  const double start = secondsNow();
  pool.forEach(int64_t(parts), [&](int64_t part, int) {
    const uint8_t* from = memory + size_t(part) * partBytes;
    // Sixteen sums: wide loads that wait for none before them.
    uint64_t sums[16] = {};
    for (size_t at = 0; at < partBytes; at += sizeof sums) {
      uint64_t words[16];
      __builtin_memcpy(words, from + at, sizeof words);
      for (int i = 0; i < 16; i++) sums[i] ^= words[i];
    }
    uint64_t all = 0;
    for (const uint64_t sum : sums) all ^= sum;
    sink += all;
  });
  return double(parts * partBytes) / (secondsNow() - start);
}

double fmaSpeed(ThreadPool& pool) {
  const Loop loop = widestLoop();
  const int64_t partsPerThread = 8, rounds = 200'000;
  std::atomic<int64_t> operations{0};
  const double start = secondsNow();
  pool.forEach(partsPerThread * pool.threads(),
               [&](int64_t, int) { operations += int64_t(loop(rounds)); });
  return double(operations) / (secondsNow() - start);
}

}  // namespace octet::bench
