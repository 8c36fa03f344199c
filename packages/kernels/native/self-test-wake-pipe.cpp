// The wake pipe: heard once it was woken, never in the way, and gone when it is.
#include <fcntl.h>
#include <poll.h>

#include "self-test.h"
#include "wake-pipe.h"

namespace octet::selftest {

namespace {

bool isAwake(const WakePipe& pipe) {
  pollfd polled = {pipe.fd(), POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

}  // namespace

void testWakePipe() {
  int fd;
  {
    WakePipe pipe;
    fd = pipe.fd();
    check(!isAwake(pipe), "nobody has woken it");
    pipe.wake();
    check(isAwake(pipe) && isAwake(pipe), "it is woken until it is forgotten");
    pipe.forget();
    check(!isAwake(pipe), "it is forgotten");
    for (int i = 0; i < 100'000; i++) pipe.wake();  // more than a pipe holds
    check(isAwake(pipe), "a full pipe wakes");
    pipe.forget();
    check(!isAwake(pipe), "all of it is forgotten");
  }
  check(fcntl(fd, F_GETFD) == -1, "its ends are closed");
}

}  // namespace octet::selftest
