#include "probe/access/writes_at_once.h"

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace writecanary::probe {

std::unique_ptr<WritesAtOnce> WritesAtOnce::open(unsigned writes_max) {
  aio_context_t queue = 0;
  if (syscall(SYS_io_setup, writes_max, &queue) != 0) return nullptr;
  return std::unique_ptr<WritesAtOnce>(new WritesAtOnce(queue));
}

WritesAtOnce::~WritesAtOnce() { syscall(SYS_io_destroy, queue_); }

std::vector<std::int64_t> WritesAtOnce::write(int fd, std::span<const Write> writes) {
  std::vector<iocb> requests(writes.size());
  std::vector<iocb*> pointers;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    iocb& request = requests[i];
    request.aio_data = i;
    request.aio_lio_opcode = IOCB_CMD_PWRITE;
    request.aio_fildes = static_cast<std::uint32_t>(fd);
    request.aio_buf = reinterpret_cast<std::uintptr_t>(writes[i].bytes.data());
    request.aio_nbytes = writes[i].bytes.size();
    request.aio_offset = static_cast<std::int64_t>(writes[i].offset);
    pointers.push_back(&request);
  }
  std::vector<std::int64_t> results(writes.size());
  std::size_t begun = 0;
  for (std::size_t next = 0; next < writes.size();) {
    const long took = syscall(SYS_io_submit, queue_, pointers.size() - next, pointers.data() + next);
    if (took > 0) {
      next += static_cast<std::size_t>(took);
      begun += static_cast<std::size_t>(took);
    } else {  // the first of them was refused, and is not under way
      results[next++] = took == 0 ? -EAGAIN : -errno;
    }
  }
  for (std::size_t ended = 0; ended < begun; ++ended) {
    io_event event{};
    long got = 0;
    while ((got = syscall(SYS_io_getevents, queue_, 1L, 1L, &event, nullptr)) < 0 && errno == EINTR) continue;
    if (got != 1) throw_errno("io_getevents");
    results.at(event.data) = event.res;
  }
  return results;
}

}  // namespace writecanary::probe
