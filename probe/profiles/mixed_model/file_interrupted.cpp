// The executor's operations that are looked at half-way or stopped there: a write that stops early, an allocation that
// a signal stops, and stores that are written back while the mapping is there.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/retried.h"
#include "probe/profiles/mixed_model/file_executor.h"

namespace writecanary::probe {
namespace {

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

// The first half of some bytes, and for the other half memory that nobody can read: a write of all stops there (short,
// or EFAULT).
class HalfReadable {
 public:
  explicit HalfReadable(std::span<const std::byte> bytes)
      : half_(bytes.size() / 2),
        readable_(whole_pages(half_)),
        reserved_(readable_ + whole_pages(bytes.size() - half_)) {
    memory_ = mmap(nullptr, reserved_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw_errno("mmap");
    begin_ = static_cast<std::byte*>(memory_) + (readable_ - half_);
    std::ranges::copy(bytes.first(half_), begin_);
    mprotect(static_cast<std::byte*>(memory_) + readable_, reserved_ - readable_, PROT_NONE);
  }
  HalfReadable(const HalfReadable&) = delete;
  HalfReadable& operator=(const HalfReadable&) = delete;
  ~HalfReadable() { munmap(memory_, reserved_); }

  const std::byte* begin() const { return begin_; }

 private:
  static std::size_t whole_pages(std::size_t bytes) { return (bytes + page_bytes() - 1) / page_bytes() * page_bytes(); }

  std::size_t half_, readable_, reserved_;
  void* memory_ = nullptr;
  std::byte* begin_ = nullptr;
};

// Sends one signal to this thread after so long, unless it is gone before. Its handler does nothing: a system call that
// can be interrupted ends with EINTR. One alone, for under a tracer a signal takes longer than the next is away.
class Signal {
 public:
  explicit Signal(long after_nanoseconds) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGVTALRM;
    event._sigev_un._tid = gettid();
    const itimerspec once{.it_interval = {}, .it_value = {0, after_nanoseconds}};
    if (sigaction(SIGVTALRM, &action, nullptr) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0)
      throw_errno("timer_create");
    timer_settime(timer_, 0, &once, nullptr);
  }
  ~Signal() { timer_delete(timer_); }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  timer_t timer_{};
};

constexpr int kAllocations = 16;
constexpr long kSoonestNanoseconds = 4'000;  // twice as late each time, eight times: nobody knows how long a call takes

void write_back(std::span<std::byte> mapped, const std::string& name) {
  const std::size_t lead = reinterpret_cast<std::uintptr_t>(mapped.data()) % page_bytes();
  if (retried([&] { return msync(mapped.data() - lead, lead + mapped.size(), MS_SYNC); }) != 0)
    throw_errno("msync " + name);
}

}  // namespace

FileReport FileExecutor::write_with_stop(const Operation& operation, const FileRange& where, bool counted) {
  std::vector<std::byte> data = model_.data(operation, where);
  if (lseek(file_.fd(), static_cast<off_t>(where.offset), SEEK_SET) < 0) throw_errno("lseek " + file_.name());
  const HalfReadable source(data);
  ssize_t stopped = retried([&] { return ::write(file_.fd(), source.begin(), data.size()); });
  if (stopped < 0 && errno != EFAULT) throw_errno("write to " + file_.name());
  stopped = std::max<ssize_t>(stopped, 0);
  count(data.size(), stopped, counted);
  Operation so_far = operation;
  so_far.length = static_cast<std::uint64_t>(stopped);
  if (stopped != 0) model_.apply(so_far);
  FileReport report = compare_after_stop(where, so_far.length);
  if (report.tally.total() != 0) return report;
  for (auto rest = std::span(data).subspan(so_far.length); !rest.empty();) {
    const ssize_t returned = retried([&] { return ::write(file_.fd(), rest.data(), rest.size()); });
    if (returned < 0) throw_errno("write to " + file_.name());
    count(rest.size(), returned, counted);
    rest = rest.subspan(static_cast<std::size_t>(returned));
  }
  model_.apply(operation);
  return {};
}

bool FileExecutor::allocate_with_signals(const FileRange& where) {
  for (int i = 0; i < kAllocations; ++i) {
    int failed, error;
    {
      const Signal signal(kSoonestNanoseconds << (i % 8));
      failed = fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(where.offset),
                         static_cast<off_t>(where.length));
      error = errno;
    }
    errno = error;
    if (failed != 0 && errno == EINTR) return true;
    if (failed != 0) return refuse("fallocate");
  }
  return true;
}

// What was there before the end, and what was acknowledged, must still be there. Where nothing was, behind the stop,
// iomap leaves what its memory held before (docs/reports/memory-after-a-stopped-write.md): it is written over next.
FileReport FileExecutor::compare_after_stop(const FileRange& asked, std::uint64_t done) {
  const std::span<const std::byte> model(model_.bytes());
  if (asked.offset >= model.size()) return {};
  std::vector<std::byte> found(model.size() - asked.offset);
  found.resize(read_at(file_.fd(), file_.name(), asked.offset, found));
  for (std::uint64_t at = done; at < std::min<std::uint64_t>(asked.length, found.size()); ++at) {
    if (model[asked.offset + at] == std::byte{0}) found[at] = std::byte{0};
  }
  return compare_piece(asked.offset, found);
}

FileReport FileExecutor::map_rewrite(const Operation& operation, const FileRange& where) {
  const FileMapping mapping = map_shared(where);
  if (mapping.bytes().empty()) {
    refuse("mmap(MAP_SHARED)");
    return {};
  }
  FileReport loaded = compare_piece(where.offset, mapping.bytes());
  if (loaded.tally.total() != 0) return loaded;
  std::ranges::copy(model_.earlier_data(operation, where), mapping.bytes().begin());
  write_back(mapping.bytes(), file_.name());
  std::ranges::copy(model_.data(operation, where), mapping.bytes().begin());
  write_back(mapping.bytes(), file_.name());
  mapping.check("store through a mapping of " + file_.name());
  model_.apply(operation);
  if (!direct_fd_) return {};
  return direct_read(model_.reach({.kind = OpKind::kDirectRead, .offset = where.offset, .length = where.length}));
}

}  // namespace writecanary::probe
