#include "cpu-isa.h"

#if defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace octet {

#if defined(__aarch64__)
// Of signed bytes: part of the architecture since Armv8.4, an option before.
static bool hasDotProducts() {
#if defined(__APPLE__)
  return true;  // every Mac with such a processor has them
#elif defined(__linux__)
  constexpr unsigned long asimdDotProduct = 1ul << 20;  // HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & asimdDotProduct) != 0;
#else
  return false;
#endif
}
#endif

std::vector<const KernelTable*> supportedKernels() {
  std::vector<const KernelTable*> tables;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
  if (avx512) tables.push_back(&kernelsAvx512());
  if (avx2) tables.push_back(&kernelsAvx2());
#elif defined(__aarch64__)
  if (hasDotProducts()) tables.push_back(&kernelsNeon());
#endif
  tables.push_back(&kernelsPortable());
  return tables;
}

}  // namespace octet
