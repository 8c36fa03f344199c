#include "wake-pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <string>

#include "failure.h"

namespace octet {

WakePipe::WakePipe() {
  int ends[2];
  if (pipe(ends) != 0) throw Failure("unsupported", std::string("no pipe: ") + strerror(errno));
  for (const int end : ends) {
    fcntl(end, F_SETFL, O_NONBLOCK);
    fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  readEnd_ = ends[0];
  writeEnd_ = ends[1];
}

WakePipe::~WakePipe() {
  close(readEnd_);
  close(writeEnd_);
}

// If the pipe is full, the thread is woken up as it is.
void WakePipe::wake() {
  const ssize_t written = write(writeEnd_, "", 1);
  (void)written;
}

void WakePipe::forget() {
  char woken[64];
  while (read(readEnd_, woken, sizeof woken) > 0) continue;
}

}  // namespace octet
