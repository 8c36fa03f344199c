// The fair mutex: one thread at a time, in the order they asked.
#include <thread>

#include "fair-mutex.h"
#include "self-test.h"

namespace octet::selftest {

void testFairMutex() {
  FairMutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  const auto take = [&](int who) {
    const std::lock_guard<FairMutex> taken(mutex);
    order.push_back(who);
  };
  mutex.lock();
  for (int who = 0; who < 5; who++) {
    threads.emplace_back(take, who);
    while (mutex.inLine() != uint64_t(who) + 2) std::this_thread::yield();
  }
  mutex.unlock();
  take(5);  // at once, but after those that wait
  for (std::thread& thread : threads) thread.join();
  check(order == std::vector<int>{0, 1, 2, 3, 4, 5}, "a mutex is had in the order of asking");

  int count = 0;
  threads.clear();
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; k++) {
        const std::lock_guard<FairMutex> taken(mutex);
        count++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  check(count == 4000 && mutex.inLine() == 0, "a mutex is had by one thread at a time");
}

}  // namespace octet::selftest
