#include "self-test.h"

#include "cpu-isa.h"

int main() {
  using namespace octet::selftest;
  testMultiply();
  testRows();
  testAttend();
  testThreadPool();
  testFairMutex();
  testExpertEngine();
  testAttentionEngine();
  testWire();
  testOddCalls();
  testWireFuzz();
  testWakePipe();
  testFastPath();
  testLoans();
  for (const octet::KernelTable* kernels : octet::supportedKernels()) {
    printf("self-test: %s agrees\n", kernels->name);
  }
  return 0;
}
