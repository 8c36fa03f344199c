// Ends another thread's poll.
#pragma once

namespace octet {

class WakePipe {
 public:
  WakePipe();
  ~WakePipe();
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;

  // Any thread. Never waits; once for several is enough.
  void wake();
  // For the thread that polls: readable once it was woken, until `forget`.
  int fd() const { return readEnd_; }
  void forget();

 private:
  int readEnd_;
  int writeEnd_;
};

}  // namespace octet
