#include "probe/access/writes_at_once.h"

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <future>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

using Writes = std::span<const WritesAtOnce::Write>;

// Every second one, from `first` on; puts what came of each into `results`.
void write_every_second(aio_context_t queue, int fd, Writes writes, std::size_t first,
                        std::span<std::int64_t> results) {
  std::vector<iocb> requests;
  for (std::size_t i = first; i < writes.size(); i += 2) {
    iocb& request = requests.emplace_back();
    request.aio_data = i;
    request.aio_lio_opcode = IOCB_CMD_PWRITE;
    request.aio_fildes = static_cast<std::uint32_t>(fd);
    request.aio_buf = reinterpret_cast<std::uintptr_t>(writes[i].bytes.data());
    request.aio_nbytes = writes[i].bytes.size();
    request.aio_offset = static_cast<std::int64_t>(writes[i].offset);
  }
  std::vector<iocb*> pointers;
  for (iocb& request : requests) pointers.push_back(&request);
  std::size_t begun = 0;
  for (std::size_t next = 0; next < pointers.size();) {
    const long took = syscall(SYS_io_submit, queue, pointers.size() - next, pointers.data() + next);
    if (took > 0) {
      next += static_cast<std::size_t>(took);
      begun += static_cast<std::size_t>(took);
    } else {  // the first of them was refused, and is not under way
      const int why = took == 0 ? EAGAIN : errno;
      results[pointers[next++]->aio_data] = -why;
    }
  }
  for (std::size_t ended = 0; ended < begun; ++ended) {
    io_event event{};
    long got = 0;
    while ((got = syscall(SYS_io_getevents, queue, 1L, 1L, &event, nullptr)) < 0 && errno == EINTR) continue;
    if (got != 1) throw_errno("io_getevents");
    results[event.data] = event.res;
  }
}

}  // namespace

std::unique_ptr<WritesAtOnce> WritesAtOnce::open(unsigned writes_max) {
  std::array<Queue, 2> queues{};
  if (syscall(SYS_io_setup, writes_max, &queues[0]) != 0) return nullptr;
  if (syscall(SYS_io_setup, writes_max, &queues[1]) != 0) {
    const int why = errno;
    syscall(SYS_io_destroy, queues[0]);
    errno = why;
    return nullptr;
  }
  return std::unique_ptr<WritesAtOnce>(new WritesAtOnce(queues));
}

WritesAtOnce::~WritesAtOnce() {
  for (const Queue queue : queues_) syscall(SYS_io_destroy, queue);
}

std::vector<std::int64_t> WritesAtOnce::write(int fd, std::span<const Write> writes) {
  std::vector<std::int64_t> results(writes.size());
  // Whatever one throws, the other has ended before this returns: the future waits.
  auto other = std::async(std::launch::async, write_every_second, queues_[1], fd, writes, 1, std::span(results));
  write_every_second(queues_[0], fd, writes, 0, results);
  other.get();
  return results;
}

}  // namespace writecanary::probe
