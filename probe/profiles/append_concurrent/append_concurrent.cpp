// append-concurrent: several appenders on one file, each a process with its own ring, racing for real.
//
// What append-interposed shows by construction, this shows as applications meet it: while one writer's append waits
// for its retry, another's lands in its middle.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/append_concurrent/shared_round.h"
#include "probe/run/clean_cache.h"
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/stream/trap_writer.h"
#include "probe/trap/trap.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kCleanCacheBytes = 4ULL << 20;
constexpr int kLookAfterMs = 20;  // hundreds of times as long as the limit is low for one write

ProfileInfo describe() {
  std::vector<ProfileOption> options = armed_options();
  std::erase_if(options, [](const ProfileOption& option) { return option.name == "file_bytes"; });
  options.push_back({"writers", "appenders on the one file", "count", 2, kWritersMax, 3});
  options.push_back({"records_per_file", "appends of each writer to a file", "count", 1, SharedRound::kRecordsMax, 8});
  options.push_back(
      {"hold_us",
       "half of the punted appends wait this long at most for another writer before they are retried; 0: none",
       "microseconds", 0, 100'000, 20'000});
  return {
      .name = "append-concurrent",
      .title = "concurrent io_uring appends",
      .description = "Two to eight processes append to one file through their own rings, each write with the trap set.",
      .role = "detector",
      .oracle = "Each acknowledged append stands in the file once and in one piece, whoever else appends.",
      .exposure =
          "The append was punted after it had made the file grow, with no retry of another writer on its way, on a "
          "filesystem that makes inline progress.",
      .needs_io_uring = true,
      .variants = {"async"},
      .options = std::move(options),
      .references = {"open(2), O_APPEND", "linux-xfs, June 2026: splitting an append write into two requests is racy"},
  };
}

// Life of one appender, in its own process.
class Appender {
 public:
  // Without `armed` the limit stays where it is: where nothing is written inline, low memory would only make errors.
  Appender(const RunContext& context, SharedRound& round, const FileIdentity& file, std::uint32_t number,
           std::uint64_t records, bool armed)
      : context_(context),
        round_(round),
        records_(records),
        number_(number),
        armed_(armed),
        headroom_(armed ? armed_sizes(context).headroom : 0),
        file_(file),
        tag_(file.tag),
        fd_(context.workspace.open(file.name, O_WRONLY | O_APPEND)) {
    tag_.writer = static_cast<std::uint8_t>(number);
  }

  void run() {
    Unsupported refused;
    const auto trap = Trap::open(context_.pressure,
                                 {.force_async = context_.settings.spec().variant == Variant::kAsync,
                                  .headroom_bytes = headroom_,
                                  .directory = context_.workspace.directory(),
                                  .writer = number_,
                                  .parts = {.arming = armed_, .pacing = armed_},
                                  .limit_lock = &round_.limit_lock(),
                                  .retries = &round_.retries()},
                                 refused);
    if (!trap) throw SystemError("io_uring_setup in a writer: " + refused.reason, EPERM);
    const ArmedSizes sizes = armed_sizes(context_);
    Plan plan(derive_seed(file_.seed, number_), sizes.write_min, sizes.write_max);
    const Pattern pattern(tag_, file_.incompressible);
    std::vector<std::uint64_t> buffer(sizes.write_max / kWordBytes + 1, 1);
    round_.meet();
    for (std::uint64_t i = 0; i < records_ && !round_.stop(); ++i) {
      trap->prepare();
      const auto words = std::span(buffer).first(plan.next_length() / kWordBytes);
      pattern.fill(acknowledged_, words);
      append(*trap, std::as_bytes(words));
    }
  }

 private:
  void append(Trap& trap, std::span<const std::byte> bytes) {
    // Before it is submitted: who dies within the append has it in the file all the same.
    round_.intend(number_, {.index = index_,
                            .writer = number_,
                            .stream_offset_bytes = acknowledged_,
                            .length_bytes = bytes.size(),
                            .route = Route::kRing});
    WriteRef write = trap.write(fd_.get(), bytes, -1, [this] { hold(); });
    const bool tried_inline = context_.settings.spec().variant != Variant::kAsync;
    const bool exposed = write.route == Route::kPunted && (write.inline_bytes != 0 || !tried_inline);
    write.index = index_++;
    write.writer = number_;
    write.stream_offset_bytes = acknowledged_;
    write.at_us = context_.meter.elapsed_us();
    round_.append(number_, write, exposed);
    if (write.result > 0) acknowledged_ += static_cast<std::uint64_t>(write.result);
    if (write.result < 0 && write.result != -ENOMEM && write.result != -EAGAIN) {
      throw SystemError("append", static_cast<int>(-write.result));
    }
  }

  // Half of the retries, as the seed says, come after another writer's bytes, as behind a busy worker pool; a pause of
  // fixed length would suit one machine only. The size is asked for with lseek: a stat would disarm the others.
  void hold() {
    if (derive_seed(file_.seed, 1000UL * number_ + index_) % 2 == 0) return;
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(context_.settings.option("hold_us"));
    const off_t size = lseek(fd_.get(), 0, SEEK_END);
    const timespec pause{0, 20'000};
    while (std::chrono::steady_clock::now() < end && !round_.stop() && lseek(fd_.get(), 0, SEEK_END) == size) {
      nanosleep(&pause, nullptr);
    }
  }

  const RunContext& context_;
  SharedRound& round_;
  std::uint64_t records_;
  std::uint32_t number_;
  bool armed_;
  std::uint64_t headroom_;
  FileIdentity file_;
  Tag tag_;
  Fd fd_;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t index_ = 0;
};

[[noreturn]] void appender_process(pid_t parent, const RunContext& context, SharedRound& round,
                                   const FileIdentity& file, std::uint32_t number, std::uint64_t records, bool armed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A parent that was gone by then sends nothing any more, and nobody would end this one.
  if (getppid() != parent) _exit(1);
  signal(SIGTERM, SIG_IGN);  // the parent passes a stop on
  // Whatever is thrown ends here: the rest of the stack is the parent's, and nothing of it may be destroyed.
  const bool done = round.attempt(number, [&] { Appender(context, round, file, number, records, armed).run(); });
  _exit(done ? 0 : 1);
}

// One appender as its parent sees it; killed and reaped by the destructor.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), pid_fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
    if (!pid_fd_) throw_errno("pidfd_open");
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pid_fd_(std::move(other.pid_fd_)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  bool ended(int timeout_ms) const {
    pollfd ready{pid_fd_.get(), POLLIN, 0};
    return poll(&ready, 1, timeout_ms) > 0;
  }
  // Once it has ended. Returns the signal that ended it, 0 for none.
  int reap() {
    int status = 0;
    if (waitpid(std::exchange(pid_, -1), &status, 0) < 0) throw_errno("wait for a writer");
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_;
  Fd pid_fd_;
};

class AppendersRound {
 public:
  AppendersRound(RunContext& context, bool meaningful)
      : context_(context),
        meaningful_(meaningful),
        identity_(context.next_file()),
        writers_(static_cast<std::uint32_t>(context.settings.option("writers"))),
        file_(context.workspace, identity_.name, O_APPEND),
        shared_(SharedRound::make(writers_)) {}

  void run() {
    std::vector<Child> children;
    for (std::uint32_t writer = 0; writer < writers_; ++writer) {
      const pid_t parent = getpid();
      const pid_t pid = fork();
      if (pid < 0) throw_errno("fork a writer");
      if (pid == 0) appender_process(parent, context_, *shared_, identity_, writer, records(writer), meaningful_);
      children.emplace_back(pid);
    }
    int killed_by = 0;
    for (Child& child : children) {
      while (!child.ended(kLookAfterMs)) {
        // Whoever is stuck under the low limit (with the v1 kill forbidden, a writer waits there) gets free here.
        context_.pressure.relieve();
        if (!context_.limits.may_continue()) shared_->stop() = true;
      }
      const int signal = child.reap();
      killed_by = std::max(killed_by, signal);
      if (signal != 0) shared_->stop() = true;  // a round with one writer less shows nothing
    }
    context_.pressure.relieve();  // a writer that was killed may have left the limit low
    judge();
    if (killed_by != 0) {
      throw std::runtime_error(
          fmt::format("a writer of {} was killed by signal {} ({}): what it had acknowledged was "
                      "judged, and the run ends",
                      file_.name(), killed_by, strsignal(killed_by)));
    }
  }

 private:
  // What this writer is to append, so that all together make no more than the writes that are left.
  std::uint64_t records(std::uint32_t writer) const {
    const std::uint64_t wanted = context_.settings.option("records_per_file");
    if (context_.settings.spec().writes_max == 0) return wanted;
    const std::uint64_t left = context_.settings.spec().writes_max - context_.meter.counters().writes;
    return std::min(wanted, left / writers_ + (writer < left % writers_ ? 1 : 0));
  }

  void judge() {
    FileLog log{identity_.name, identity_.tag, identity_.incompressible, {}};
    std::string failed;
    for (std::uint32_t writer = 0; writer < writers_; ++writer) {
      auto& writes = log.writers.emplace_back();
      for (const auto& [write, exposed] : shared_->entries(writer)) {
        writes.push_back(write);
        context_.meter.count(write, exposed && meaningful_);
      }
      if (failed.empty()) failed = shared_->failed(writer);
    }
    context_.file_judge.judge(file_.fd(), log);
    if (!failed.empty()) throw std::runtime_error(fmt::format("a writer of {} failed: {}", file_.name(), failed));
  }

  RunContext& context_;
  bool meaningful_;
  FileIdentity identity_;
  std::uint32_t writers_;
  RunFile file_;
  std::unique_ptr<SharedRound> shared_;
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  if (!Ring::open(1, refused)) return refused;
  const bool meaningful = writes_inline(context);
  CleanCache cache(context.workspace, kCleanCacheBytes);
  while (context.limits.may_continue()) {
    cache.refill();
    AppendersRound(context, meaningful).run();
  }
  if (meaningful) context.exposure_hint = "the appends were not stopped part-way";
  return std::nullopt;
}

}  // namespace

extern const Profile kAppendConcurrent;
const Profile kAppendConcurrent{describe, run};

}  // namespace writecanary::probe
