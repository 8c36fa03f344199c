#include "processors.h"

#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace octet {

#if defined(__linux__)

std::vector<int> allowedProcessors() {
  std::vector<int> processors;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int processor = 0; processor < CPU_SETSIZE; processor++) {
    if (CPU_ISSET(processor, &set)) processors.push_back(processor);
  }
  return processors;
}

void pinThread(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  (void)sched_setaffinity(0, sizeof set, &set);
}

#else

std::vector<int> allowedProcessors() { return {}; }
void pinThread(int) {}

#endif

int availableProcessors() {
  const size_t allowed = allowedProcessors().size();
  if (allowed > 0) return int(allowed);
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : int(count);
}

}  // namespace octet
