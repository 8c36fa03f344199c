// The processors that a thread may run on.
#pragma once

#include <vector>

namespace octet {

// Those of the calling thread; empty where the system does not tell (only Linux does).
std::vector<int> allowedProcessors();

// How many, as far as the system tells; at least one.
int availableProcessors();

// Keeps the calling thread on one. Where the system refuses, it stays the system's to place.
void pinThread(int processor);

}  // namespace octet
