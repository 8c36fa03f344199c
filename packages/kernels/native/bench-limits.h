// What this machine can do at most, measured beside what is to be judged by it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "thread-pool.h"

namespace octet::bench {

double secondsNow();

// Bytes read per second, by all threads.
double readSpeed(ThreadPool& pool, const uint8_t* memory, size_t bytes);

// f32 operations per second, two for each fused multiply-add, by all threads, in the widest
// registers there are.
double fmaSpeed(ThreadPool& pool);

}  // namespace octet::bench
