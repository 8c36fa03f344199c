// Whether memory that is freed goes back to the system.
#pragma once

#include <cstddef>  // defines __GLIBC__ where that is the library

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace octet {

// A prompt's rows are buffers of megabytes, which live for one layer. glibc by itself learns from the
// first that is freed to keep the next ones in its arenas, where they leave holes that nobody fills:
// tens of megabytes after a few prompts. Fixed, the threshold gives each one back when it is freed.
// A buffer of fewer bytes costs no more than before; one of more costs its page faults, which are
// little beside computing megabytes of rows.
inline void returnLargeBuffers() {
#if defined(__GLIBC__)
  constexpr int largeBytes = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, largeBytes);
  mallopt(M_TRIM_THRESHOLD, 2 * largeBytes);
#endif
}

}  // namespace octet
