// Which builds of the kernels this machine can run.
#pragma once

#include <vector>

#include "kernel-table.h"

namespace octet {

// The fastest first; the portable build is always there, and last.
std::vector<const KernelTable*> supportedKernels();

}  // namespace octet
