#include "cli/check/check_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "cli/terminal/text.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/units.h"
#include "core/process/probe_process.h"
#include "core/run/protocol.h"

namespace writecanary::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{100};  // deadlines are checked this often
constexpr std::size_t kStderrLinesKept = 3;

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

class ProbeRun {
 public:
  ProbeRun(const RunSpec& spec, ProbeProcess process, Cgroup* cgroup, ProgressBar& progress, const Clock& clock)
      : spec_(spec), process_(std::move(process)), cgroup_(cgroup), progress_(progress), clock_(clock) {
    result_.profile = spec.profile;
    result_.seed = spec.seed;
    result_.pressure = spec.pressure;
    started_ = clock_.steady();
    if (spec.duration_ms != 0) deadline_ = started_ + std::chrono::milliseconds(spec.duration_ms) + kDeadlineSlack;
  }
  ~ProbeRun() {
    if (!process_.try_wait()) kill();
  }
  ProbeRun(const ProbeRun&) = delete;
  ProbeRun& operator=(const ProbeRun&) = delete;

  RunResult follow(Interrupts& interrupts) {
    while (!process_.try_wait()) {
      if (stage_ == Stage::kKilled && clock_.steady() >= deadline_) return stuck();
      wait_for_something(interrupts.fd());
      for (int times = interrupts.take(); times > 0; --times) escalate("Ctrl-C");
      if (deadline_ && clock_.steady() >= *deadline_) escalate("its deadline");
      read_events();
      read_stderr();
    }
    read_events();
    read_stderr();
    return conclusion();
  }

 private:
  enum class Stage { kRunning, kAskedToStop, kKilled };

  void wait_for_something(int interrupts_fd) {
    std::array<pollfd, 4> waiting = {{{interrupts_fd, POLLIN, 0},
                                      {process_.pid_fd(), POLLIN, 0},
                                      {events_open_ ? process_.events_fd() : -1, POLLIN, 0},
                                      {stderr_open_ ? process_.stderr_fd() : -1, POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), static_cast<int>(kPollInterval.count())) < 0 && errno != EINTR) {
      throw_errno("poll the probe");
    }
  }

  // Asks the first time, kills the second time; each step gets its own deadline.
  void escalate(const std::string& why) {
    if (stage_ == Stage::kRunning) {
      stage_ = Stage::kAskedToStop;
      stopped_by_ = why;
      deadline_ = clock_.steady() + kStopGrace;
      process_.signal(SIGTERM);
    } else if (stage_ == Stage::kAskedToStop) {
      kill();
    }
  }

  void kill() {
    stage_ = Stage::kKilled;
    deadline_ = clock_.steady() + kKillGrace;
    if (cgroup_ != nullptr) cgroup_->kill_all();
    process_.signal(SIGKILL);
  }

  // Hands on what can be read now; false at the end of the stream.
  static bool drain(int fd, const std::function<void(std::string_view)>& take) {
    std::array<char, 16UL * 1024> buffer;
    for (;;) {
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got > 0) take({buffer.data(), static_cast<std::size_t>(got)});
      if (got == 0) return false;
      if (got < 0 && errno != EINTR) return errno == EAGAIN;
    }
  }

  void read_events() {
    if (!events_open_) return;
    try {
      events_open_ = drain(process_.events_fd(), [this](std::string_view bytes) {
        lines_.feed(bytes, [this](std::string_view line) { handle(decode(line)); });
      });
    } catch (const ProtocolError& error) {
      events_open_ = false;
      broken_ = error.what();
      kill();
    }
  }

  void read_stderr() {
    if (!stderr_open_) return;
    stderr_open_ = drain(process_.stderr_fd(), [this](std::string_view bytes) { said_ += bytes; });
    for (std::size_t end = said_.find('\n'); end != std::string::npos; end = said_.find('\n')) {
      last_words_.push_back(printable(said_.substr(0, end)));
      said_.erase(0, end + 1);
      progress_.note(last_words_.back());
      if (last_words_.size() > kStderrLinesKept) last_words_.pop_front();
    }
    if (said_.size() > kProtocolLineBytes) said_.clear();
  }

  void handle(const Event& event) {
    std::visit(Overloaded{[this](const Hello& hello) {
                            result_.kernel = hello.kernel;
                            result_.filesystem = hello.filesystem;
                            result_.pressure = hello.pressure;
                          },
                          [this](const Progress& progress) {
                            seen_ = progress;
                            progress_.update(spec_.profile, progress);
                          },
                          [this](const FindingEvent& event) {
                            found_.add(event.finding.kind, event.finding.length_bytes);
                            if (result_.findings.size() < kFindingsPerRun) result_.findings.push_back(event.finding);
                          },
                          [this](const RunEnd& end) { end_ = end; }},
               event);
  }

  // What is known of a run that did not conclude itself.
  RunResult without_verdict(Verdict verdict, std::string reason) {
    RunEnd& end = result_.end;
    end.verdict = verdict;
    end.reason = std::move(reason);
    end.counters = seen_.counters;
    end.tally = seen_.tally.total() > found_.total() ? seen_.tally : found_;
    end.duration_seconds = std::chrono::duration<double>(clock_.steady() - started_).count();
    return std::move(result_);
  }

  RunResult conclusion() {
    if (!broken_.empty()) return without_verdict(Verdict::kError, "the probe broke the protocol: " + broken_);
    if (end_) {
      result_.end = *end_;
      return std::move(result_);
    }
    std::string reason =
        fmt::format("the probe ended without a verdict ({})", describe_wait_status(*process_.try_wait()));
    if (stage_ != Stage::kRunning) reason += fmt::format(", after it was stopped by {}", stopped_by_);
    const std::uint64_t oom_kills = cgroup_ == nullptr ? 0 : oom_kills_of(cgroup_->directory());
    if (oom_kills > 0) {
      seen_.counters.oom_kills = std::max(seen_.counters.oom_kills, oom_kills);
      reason += fmt::format(
          "; the kernel killed {} of its processes because its memory limit was reached. Give it more with --memory",
          oom_kills);
    }
    for (const std::string& line : last_words_) reason += "; " + line;
    return without_verdict(Verdict::kError, std::move(reason));
  }

  RunResult stuck() {
    if (cgroup_ != nullptr) std::exchange(cgroup_, nullptr)->release();
    Finding finding;
    finding.kind = FindingKind::kStuck;
    finding.detail = fmt::format(
        "process {} of the probe did not end within {} of SIGKILL: it hangs in the kernel (see /proc/{}/stack). "
        "Its files are left in {}/.writecanary",
        process_.pid(), format_duration(kKillGrace), process_.pid(), spec_.path);
    found_.add(finding.kind, 0);
    seen_.tally = {};
    std::string reason = finding.detail;
    if (result_.findings.size() < kFindingsPerRun) result_.findings.push_back(std::move(finding));
    return without_verdict(Verdict::kStuck, std::move(reason));
  }

  const RunSpec& spec_;
  ProbeProcess process_;
  Cgroup* cgroup_;
  ProgressBar& progress_;
  const Clock& clock_;

  SteadyTime started_;
  std::optional<SteadyTime> deadline_;  // of the present stage
  Stage stage_ = Stage::kRunning;
  std::string stopped_by_;

  LineReader lines_;
  bool events_open_ = true;
  bool stderr_open_ = true;
  std::string broken_;  // how the protocol was violated
  std::string said_;    // stderr, not yet a whole line
  std::deque<std::string> last_words_;

  RunResult result_;
  Progress seen_;
  FindingTally found_;
  std::optional<RunEnd> end_;
};

}  // namespace

RunResult run_probe(const std::string& program, const RunSpec& spec, Cgroup* cgroup, Interrupts& interrupts,
                    ProgressBar& progress, const Clock& clock) {
  const std::string input = nlohmann::json(spec).dump();
  ProbeRun run(spec, ProbeProcess::start(program, {}, input, cgroup, false), cgroup, progress, clock);
  RunResult result = run.follow(interrupts);
  progress.clear();
  return result;
}

}  // namespace writecanary::cli
