// What this machine can do at most: how fast it reads memory, and how fast it multiplies.
//
//   limits THREADS FILE...
//
// Maps the files, then answers one line on standard input with one line on standard output:
//   read-mapped | read-anonymous | int8 | bf16 | f32   ->   VALUE UNIT INSTRUCTION
// Reads are sequential, each thread over its own part; multiplications stay in registers.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "peaks.h"

namespace {

/** Much larger than any cache. */
constexpr size_t anonymousBytes = size_t{1} << 30;
/** Long enough for a steady figure, short enough to run between two measurements. */
constexpr double leastSeconds = 0.1;

struct Region {
  const uint8_t* data;
  size_t bytes;
};

/** What is read in one pass. */
struct Memory {
  std::vector<Region> regions;
  /** Whether its pages have been brought in. */
  bool touched = false;
};

[[noreturn]] void fail(const std::string& what) {
  std::perror(("limits: " + what).c_str());
  std::exit(1);
}

Region mapFile(const char* path) {
  const int file = open(path, O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail(path);
  const size_t bytes = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (data == MAP_FAILED) fail(path);
  close(file);
  return {static_cast<const uint8_t*>(data), bytes};
}

Region mapAnonymous() {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  void* data = mmap(nullptr, anonymousBytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (data == MAP_FAILED) fail("anonymous memory");
#ifdef MADV_HUGEPAGE
  madvise(data, anonymousBytes, MADV_HUGEPAGE);
#endif
  std::memset(data, 1, anonymousBytes);
  return {static_cast<const uint8_t*>(data), anonymousBytes};
}

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/** Runs `work(thread)` on all threads; the seconds from their common start to the last one's end. */
template <typename Work>
double timeThreads(int threads, const Work& work) {
  std::atomic<int> waiting{threads};
  std::atomic<bool> go{false};
  std::vector<std::thread> pool;
  for (int thread = 0; thread < threads; thread++) {
    pool.emplace_back([&, thread] {
      waiting--;
      while (!go) std::this_thread::yield();
      work(thread);
    });
  }
  while (waiting > 0) std::this_thread::yield();
  const auto start = Clock::now();
  go = true;
  for (auto& thread : pool) thread.join();
  return secondsSince(start);
}

/** What each thread reads of a region: whole pages, the remainder is not worth its time. */
size_t shareOf(const Region& region, int threads) { return region.bytes / threads / 4096 * 4096; }

/** Bytes a second of `threads` threads that read all regions, each thread its share of each. */
double measureRead(Memory& memory, int threads) {
  const Reader read = reader();
  size_t bytesPerPass = 0;
  for (const Region& region : memory.regions) bytesPerPass += shareOf(region, threads) * threads;
  const auto pass = [&] {
    return timeThreads(threads, [&](int thread) {
      for (const Region& region : memory.regions) {
        const size_t share = shareOf(region, threads);
        read.run(region.data + share * thread, share);
      }
    });
  };
  if (!memory.touched) pass();
  memory.touched = true;
  size_t bytes = 0;
  double seconds = 0;
  while (seconds < leastSeconds) {
    seconds += pass();
    bytes += bytesPerPass;
  }
  return bytes / seconds;
}

/** Operations a second; an addition and a multiplication are two. */
double measurePeak(const Peak& peak, int threads) {
  constexpr int64_t rounds = 1 << 14;
  std::atomic<int64_t> total{0};
  const double seconds = timeThreads(threads, [&](int) {
    const auto start = Clock::now();
    int64_t done = 0;
    while (secondsSince(start) < leastSeconds) done += peak.run(rounds);
    total += done;
  });
  return total / seconds;
}

void answer(double value, const char* unit, const char* instruction) {
  std::printf("%.6g %s %s\n", value, unit, instruction);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 0;
  if (threads < 1) {
    std::fprintf(stderr, "usage: limits THREADS FILE...\n");
    return 2;
  }
  Memory mapped;
  for (int i = 2; i < argc; i++) mapped.regions.push_back(mapFile(argv[i]));
  Memory anonymous;
  std::string question;
  while (std::getline(std::cin, question)) {
    if (question == "read-mapped" && !mapped.regions.empty()) {
      answer(measureRead(mapped, threads), "bytes/s", reader().instruction);
    } else if (question == "read-anonymous") {
      if (anonymous.regions.empty()) anonymous.regions.push_back(mapAnonymous());
      answer(measureRead(anonymous, threads), "bytes/s", reader().instruction);
    } else if (question == "int8" || question == "bf16" || question == "f32") {
      const Peak peak = question == "int8"   ? int8Peak()
                        : question == "bf16" ? bf16Peak()
                                             : f32Peak();
      answer(measurePeak(peak, threads), "ops/s", peak.instruction);
    } else {
      std::fprintf(stderr, "limits: no answer to \"%s\"\n", question.c_str());
      return 2;
    }
  }
  return 0;
}
