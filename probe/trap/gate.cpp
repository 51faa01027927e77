#include "probe/trap/gate.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

// user_data of the blocking requests; no other request may use these.
constexpr std::uint64_t kGateUserData[] = {~0ULL, ~1ULL};  // bounded, unbounded

// The FIFO at `path`, without its name: what is killed in the next moment leaves nothing behind.
Fd take_fifo(const std::string& path) {
  Fd fifo = open_file(path, O_PATH);
  unlink(path.c_str());
  return fifo;
}

// Any filesystem will do for it.
Fd make_fifo(const std::string& wanted) {
  if (mkfifo(wanted.c_str(), 0600) == 0) return take_fifo(wanted);
  char directory[] = "/tmp/writecanary-XXXXXX";
  if (mkdtemp(directory) == nullptr) throw_errno("make a directory for the FIFO in /tmp");
  const std::string elsewhere = std::string(directory) + "/gate";
  const int made = mkfifo(elsewhere.c_str(), 0600);
  Fd fifo;
  if (made == 0) fifo = take_fifo(elsewhere);
  const int failed = errno;
  rmdir(directory);
  errno = failed;
  if (made != 0) throw_errno("make the FIFO " + elsewhere);
  return fifo;
}

}  // namespace

std::unique_ptr<Gate> Gate::make(Ring& ring, Workers workers, const std::string& fifo) {
  std::unique_ptr<Gate> gate(new Gate(ring, workers));
  if (workers == Workers::kBounded) {
    gate->fifo_ = make_fifo(fifo);
    // Names the FIFO for whoever opens it, in the worker as well: that is a thread of this process.
    gate->fifo_path_ = "/proc/self/fd/" + std::to_string(gate->fifo_.get());
    return ring.limit_workers(1, 0) ? std::move(gate) : nullptr;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
  gate->pipe_read_ = Fd(ends[0]);
  gate->pipe_write_ = Fd(ends[1]);
  gate->sink_ = open_file("/dev/null", O_WRONLY);
  return ring.limit_workers(0, 1) ? std::move(gate) : nullptr;
}

Gate::~Gate() {
  if (closed_) {
    try {
      open();
    } catch (const SystemError&) {  // the ring is broken; its end cancels the blocker
    }
  }
}

void Gate::close() {
  WC_CHECK(!closed_);
  io_uring_sqe* sqe = ring_.next_sqe();
  if (workers_ == Workers::kBounded) {
    io_uring_prep_openat(sqe, AT_FDCWD, fifo_path_.c_str(), O_RDONLY | O_CLOEXEC, 0);
  } else {
    io_uring_prep_splice(sqe, pipe_read_.get(), -1, sink_.get(), -1, 1, 0);
  }
  sqe->flags |= IOSQE_ASYNC;
  sqe->user_data = kGateUserData[static_cast<int>(workers_)];
  ring_.submit();
  closed_ = true;
}

std::optional<Completion> Gate::open() {
  if (!closed_) return std::nullopt;
  closed_ = false;
  Fd writer;
  if (workers_ == Workers::kBounded) {
    // Read-write, so that this does not wait for the worker to get there; the worker then finds a writer.
    writer = open_file(fifo_path_, O_RDWR);
  } else {
    write_all(pipe_write_.get(), "x");
  }
  std::optional<Completion> other;
  for (;;) {
    const Completion completion = ring_.wait();
    if (completion.user_data != kGateUserData[static_cast<int>(workers_)]) {
      other = completion;
      continue;
    }
    if (workers_ == Workers::kBounded && completion.result >= 0) Fd opened(completion.result);
    return other;
  }
}

}  // namespace writecanary::probe
