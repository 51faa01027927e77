#include "core/supervisor/run_supervisor.h"

#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json_text.h"

namespace writecanary {
namespace {

// Read at most so much before others get their turn: a flood must not starve the loop. More than a pipe can hold, so
// that after the exit one turn empties it.
constexpr std::size_t kBytesPerTurn = 2U << 20;
constexpr std::chrono::milliseconds kClearPoll{10};
constexpr std::chrono::milliseconds kHasteStop{2000};
constexpr std::chrono::milliseconds kHasteKill{1000};

enum class Drained { kMore, kEnd };

// Calls `take` with what is there; kEnd at end of file or on a broken pipe.
template <typename Take>
Drained drain(int fd, const Take& take) {
  std::array<char, 64 * 1024> buffer;
  for (std::size_t total = 0; total < kBytesPerTurn;) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN ? Drained::kMore : Drained::kEnd;
    if (count == 0) return Drained::kEnd;
    total += static_cast<std::size_t>(count);
    take(std::string_view{buffer.data(), static_cast<std::size_t>(count)});
  }
  return Drained::kMore;
}

std::chrono::milliseconds working_time(const Launch& launch) {
  const auto asked = launch.spec.duration_ms == 0 ? kDurationMsMax : launch.spec.duration_ms;
  return std::chrono::milliseconds{asked} + launch.patience.deadline_slack;
}

std::optional<Cgroup> make_cgroup(const CgroupRoot& root, const Launch& launch) {
  if (root.version == 0) return std::nullopt;
  // The classic workload brings no pressure of its own: its limit only contains it.
  return Cgroup::create(root, launch.cgroup_name, launch.spec.classic ? kMemoryBytesMax : launch.spec.memory_bytes);
}

Launch with_pressure(Launch launch, const CgroupRoot& root, const std::optional<Cgroup>& cgroup) {
  launch.spec.pressure = {root.backend(), cgroup ? cgroup->directory() : "", root.reason};
  return launch;
}

}  // namespace

RunSupervisor::RunSupervisor(EventLoop& loop, const Clock& clock, const CgroupRoot& root, Launch launch,
                             RunCallbacks callbacks)
    : loop_(loop),
      clock_(clock),
      cgroup_(make_cgroup(root, launch)),
      launch_(with_pressure(std::move(launch), root, cgroup_)),
      callbacks_(std::move(callbacks)),
      record_(launch_.spec, launch_.wording),
      started_(clock.steady()),
      phase_timer_(loop, [this] { on_time_out(); }),
      clear_timer_(loop, [this] { clear_away(); }) {
  process_ = ProbeProcess::start(launch_.program, {}, json_text(launch_.spec), cgroup_ ? &*cgroup_ : nullptr, false);
  end_.pid = process_->pid();
  events_watch_ = loop_.watch(process_->events_fd(), EPOLLIN, [this] { read_events(); });
  stderr_watch_ = loop_.watch(process_->stderr_fd(), EPOLLIN, [this] { read_stderr(); });
  exit_watch_ = loop_.watch(process_->pid_fd(), EPOLLIN, [this] { on_leader_exit(); });
  phase_timer_.set(started_ + working_time(launch_));
}

RunSupervisor::~RunSupervisor() {
  if (phase_ == RunPhase::kGone) return;
  kill_all();
  // Waiting for a process that hangs in the kernel would hang the daemon too. The next daemon removes the cgroup.
  if (cgroup_ && !cgroup_->try_remove()) cgroup_->release();
}

void RunSupervisor::stop() {
  if (phase_ == RunPhase::kWorking) end_.stop_asked = true;
  take(RunInput::kStopAsked);
}

void RunSupervisor::kill() {
  if (phase_ == RunPhase::kWorking) end_.stop_asked = true;
  take(RunInput::kKillAsked);
}

void RunSupervisor::stop_in_haste() {
  launch_.patience.stop_grace = kHasteStop;
  launch_.patience.kill_grace = kHasteKill;
  stop();
}

void RunSupervisor::take(RunInput input) {
  const auto step = next_step(phase_, input);
  phase_ = step.next;
  if ((step.actions & kTerminate) != 0) process_->signal(SIGTERM);
  if ((step.actions & kKill) != 0) kill_all();
  if ((step.actions & kAwaitEnd) != 0) phase_timer_.set(clock_.steady() + launch_.patience.stop_grace);
  if ((step.actions & kAwaitDeath) != 0) phase_timer_.set(clock_.steady() + launch_.patience.kill_grace);
  if (phase_ == RunPhase::kStuck || phase_ == RunPhase::kGone) phase_timer_.cancel();
  if ((step.actions & (kReport | kReportStuck)) != 0) report((step.actions & kReportStuck) != 0);
}

void RunSupervisor::read_events() {
  try {
    const auto drained = drain(process_->events_fd(), [this](std::string_view bytes) {
      lines_.feed(bytes, [this](std::string_view line) { hear(line); });
    });
    if (drained == Drained::kEnd) events_watch_.reset();
  } catch (const ProtocolError& error) {
    // What follows on a broken stream means nothing.
    events_watch_.reset();
    if (end_.violation.empty()) end_.violation = error.what();
    take(RunInput::kViolation);
  }
}

void RunSupervisor::hear(std::string_view line) {
  auto event = decode(line);
  const bool is_hello = std::holds_alternative<Hello>(event);
  const bool is_progress = std::holds_alternative<Progress>(event);
  record_.hear(std::move(event));
  if (is_hello) callbacks_.on_hello(*record_.hello());
  if (is_progress) callbacks_.on_progress(record_.progress());
  if (record_.ended()) take(RunInput::kRunEnd);
}

void RunSupervisor::read_stderr() {
  const auto drained =
      drain(process_->stderr_fd(), [this](std::string_view bytes) { last_words_.feed(bytes, callbacks_.on_line); });
  if (drained == Drained::kEnd) stderr_watch_.reset();
}

void RunSupervisor::on_leader_exit() {
  end_.wait_status = process_->try_wait();
  if (!end_.wait_status) return;
  exit_watch_.reset();
  // What it said last is still in the pipes. Others may hold them open, so their end is not waited for.
  if (end_.violation.empty()) read_events();
  read_stderr();
  take(RunInput::kLeaderExited);
  clear_away();
}

void RunSupervisor::clear_away() {
  if (!end_.wait_status || gone()) return;
  if (cgroup_) {
    end_.oom_kills = std::max(end_.oom_kills, oom_kills_of(cgroup_->directory()));
    if (!cgroup_->try_remove()) return clear_timer_.set(clock_.steady() + kClearPoll);
    cgroup_.reset();
  }
  // What it had started is ours when this is the first process of a container: nobody else takes it in.
  pid_t taken = 0;
  do {
    taken = waitpid(-end_.pid, nullptr, WNOHANG);
  } while (taken > 0);
  if (taken == 0) return clear_timer_.set(clock_.steady() + kClearPoll);
  take(RunInput::kAllGone);
}

void RunSupervisor::on_time_out() {
  if (phase_ == RunPhase::kWorking) end_.deadline_passed = true;
  take(RunInput::kTimeout);
}

void RunSupervisor::kill_all() {
  if (process_ && !end_.wait_status) {
    end_.killed = true;
    process_->signal(SIGKILL);
    ::kill(-process_->pid(), SIGKILL);  // the probe leads a process group
  }
  if (cgroup_) cgroup_->kill_all();
}

void RunSupervisor::report(bool stuck) {
  end_.last_words = last_words_.text();
  end_.elapsed_seconds = std::chrono::duration<double>(clock_.steady() - started_).count();
  callbacks_.on_result(stuck ? record_.conclude_stuck(end_) : record_.conclude(end_));
}

}  // namespace writecanary
