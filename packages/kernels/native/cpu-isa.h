// Which builds of the kernels this machine can run.
#pragma once

#include <vector>

#include "kernel-table.h"

namespace octet {

// The fastest first; the portable build is always there, and last.
std::vector<const KernelTable*> supportedKernels();

// Processors this process may run on.
int availableProcessors();

}  // namespace octet
