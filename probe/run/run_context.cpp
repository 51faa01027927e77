#include "probe/run/run_context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "core/base/error.h"
#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

using std::chrono::duration;

constexpr std::chrono::seconds kSpaceCheckInterval{1};

double share(std::uint64_t done, std::uint64_t limit) {
  return limit == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(limit);
}

}  // namespace

RunFile::~RunFile() {
  try {
    workspace_.remove(name_);
  } catch (const SystemError&) {  // the directory is removed with all in it at the end of the run
  }
}

std::uint64_t RunFile::size_bytes() const {
  struct stat status {};
  if (fstat(fd(), &status) != 0) throw_errno("fstat " + name_);
  return static_cast<std::uint64_t>(status.st_size);
}

RunContext::RunContext(const RunSpec& spec, const ProfileInfo& info, Workspace& workspace, Pressure& pressure,
                       Emitter& emitter, const Clock& clock, const std::atomic<bool>& stop)
    : spec_(spec),
      info_(info),
      workspace_(workspace),
      pressure_(pressure),
      emitter_(emitter),
      clock_(clock),
      stop_(stop),
      start_(clock.steady()),
      next_progress_(start_ + kProgressInterval),
      next_space_check_(start_),
      run_tag_(run_tag(spec.run_id, spec.seed)),
      evidence_(spec, run_tag_) {}

std::uint64_t RunContext::option(const std::string& name) const {
  if (const auto given = spec_.options.find(name); given != spec_.options.end()) {
    return static_cast<std::uint64_t>(given->second);
  }
  const auto known =
      std::ranges::find_if(info_.options, [&](const ProfileOption& option) { return option.name == name; });
  WC_CHECK(known != info_.options.end());
  return static_cast<std::uint64_t>(known->default_value);
}

double RunContext::elapsed_seconds() const { return duration<double>(clock_.steady() - start_).count(); }

std::uint64_t RunContext::elapsed_us() const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - start_).count());
}

double RunContext::fraction() const {
  const double time =
      spec_.duration_ms == 0 ? 0.0 : elapsed_seconds() * 1000.0 / static_cast<double>(spec_.duration_ms);
  return std::min(1.0, std::max({time, share(counters_.writes, spec_.writes_max),
                                 share(counters_.bytes_written, spec_.bytes_max)}));
}

bool RunContext::may_continue() {
  const SteadyTime now = clock_.steady();
  if (now >= next_progress_) {
    next_progress_ = now + kProgressInterval;
    pressure_.read_events(counters_);
    emitter_.send(Progress{elapsed_seconds(), fraction(), counters_, tally_});
  }
  if (stopped() || fraction() >= 1.0) return false;
  if (now >= next_space_check_) {
    next_space_check_ = now + kSpaceCheckInterval;
    std::string why;
    if (!workspace_.enough_space(why)) throw WorkspaceRefusal(why);
  }
  return true;
}

Tag RunContext::next_tag() {
  ++counters_.files;
  return current_tag();
}

std::string RunContext::file_name(const Tag& tag) { return "file-" + std::to_string(tag.file); }

std::uint64_t RunContext::file_seed() const { return derive_seed(spec_.seed, counters_.files); }

void RunContext::count(const WriteRef& write, bool exposed) {
  ++counters_.writes;
  if (write.route == Route::kInline) ++counters_.inline_writes;
  if (write.route == Route::kPunted) ++counters_.punted;
  if (write.inline_bytes != 0) ++counters_.partial;
  if (write.disarmed) ++counters_.disarmed;
  if (exposed) ++counters_.exposures;
  if (write.result == -ENOMEM) ++counters_.cqe_enomem;
  if (write.result < 0) return;
  const auto acknowledged = static_cast<std::uint64_t>(write.result);
  if (acknowledged < write.length_bytes) ++counters_.short_results;
  counters_.bytes_written += acknowledged;
}

void RunContext::remember(const FindingTally& tally) {
  if (tally.total() == 0) return;
  if (!first_finding_seconds_) first_finding_seconds_ = elapsed_seconds();
  for (std::size_t kind = 0; kind < kFindingKindCount; ++kind) {
    tally_.count[kind] += tally.count[kind];
    tally_.bytes[kind] += tally.bytes[kind];
  }
}

void RunContext::judge_file(int fd, const FileLog& log) {
  FileReport report = verifier_.verify(fd, log, kFindingsPerRun);
  if (is_looked_at_cold(report)) {
    if (report.tally.total() != 0) take_evidence(fd, log.name);
    const ColdLook cold = look_cold(fd, log, verifier_);
    if (cold.cold) ++counters_.files_cold;
    report = merge_views(std::move(report), cold);
  }
  absorb(report, fd, log);
}

// Going through the device costs time and wear. The first damaged files are worth it; of the others the 1st, 2nd, 4th,
// 8th and so on are enough to notice a device or a writeback that loses what the page cache has right.
bool RunContext::is_looked_at_cold(const FileReport& report) {
  if (report.tally.total() != 0) return damaged_looked_at_++ < kDamagedLookedAtCold;
  return std::has_single_bit(counters_.files);
}

void RunContext::absorb(const FileReport& report, int fd, const FileLog& log) {
  absorb(report);
  if (report.tally.total() != 0) evidence_.keep(fd, log, report, moment());
}

void RunContext::absorb(const FileReport& report, const ContentView& view) {
  absorb(report);
  if (report.tally.total() != 0) keep_evidence(report, view);
}

void RunContext::absorb(const FileReport& report) {
  counters_.bytes_verified += report.bytes_verified;
  remember(report.tally);
  for (const Finding& finding : report.findings) {
    if (findings_sent_ == kFindingsPerRun) return;
    emitter_.send(FindingEvent{finding});
    ++findings_sent_;
  }
}

void RunContext::report(const Finding& finding) {
  FindingTally tally;
  tally.add(finding.kind, finding.length_bytes);
  remember(tally);
  evidence_.keep(finding, moment());
  if (findings_sent_ == kFindingsPerRun) return;
  emitter_.send(FindingEvent{finding});
  ++findings_sent_;
}

EvidenceKeeper::Moment RunContext::moment() const {
  return {workspace_.filesystem(), pressure_.facts(), elapsed_us(), counters_.writes};
}

}  // namespace writecanary::probe
