// side-by-side: two threads and one file. What one of them does changes nothing (it writes back, reads, gives advice),
// the other one changes the file, so that each byte's right content is known whoever comes first.
//
// Other profiles hold one call open while another is made (probe/profiles/held). What cannot be held, such as
// write-back, is raced here, with calls that are long enough to be met.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <future>
#include <set>
#include <vector>

#include "core/base/error.h"
#include "probe/profiles/side_by_side/races.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "side-by-side",
      .title = "changes beside write-back, reads and advice",
      .description =
          "Two threads on one file: holes made and filled again, stores through a mapping and SEEK_HOLE beside "
          "write-back, writes beside fadvise(DONTNEED), holes beside mapped reads, and two direct writes to one block.",
      .role = "detector",
      .oracle =
          "One thread alone changes the file, or each has bytes of its own, so that its content is known. It is "
          "compared in the page cache and on storage; where all is data no hole is reported.",
      .exposure = "A call of one thread was made while one of the other was under way.",
      .needs_io_uring = false,
      .options = {{"file_bytes", "size of a file", "bytes", 256 << 10, 64 << 20, 1 << 20},
                  {"race", "only that one of them; 0: each in turn", "number", 0, 6, 0},
                  {"rounds", "races, one file each; 0: until another limit", "count", 0, 100'000, 48}},
      .references =
          {"https://git.kernel.org/linus/d9252d526ba6 (xfs: validate writeback mapping using data fork seq counter, "
           "4.20)",
           "https://git.kernel.org/linus/730633f0b7f9 (mm: Protect operations adding pages to page cache with "
           "invalidate_lock, 5.15)",
           "https://git.kernel.org/linus/eda77982729b (xfs: serialize unaligned dio writes against all other dio "
           "writes, 5.1)"},
  };
}

class Rounds {
 public:
  explicit Rounds(RunContext& context) : context_(context), met_(races().size()), over_(races().size()) {
    RaceFile file(context, context.workspace.block_bytes(), 0);
    file.fill();
    const bool has_storage = file.evict();
    judge_content(context.findings, file.view());
    for (std::size_t index = 0; index < over_.size(); ++index)
      over_[index] = races()[index].needs_storage && !has_storage;
  }

  // Each race once in a turn, until it has found something or cannot be run here.
  void run() {
    const std::uint64_t rounds = context_.settings.option("rounds"), only = context_.settings.option("race");
    for (std::uint64_t made = 0; context_.limits.may_continue() && (rounds == 0 || made < rounds); ++made) {
      const std::size_t index = (only == 0 ? made : only - 1) % races().size();
      if (!over_[index]) race(index, only == 0 ? made / races().size() : made);
    }
    std::set<std::string> missing;
    for (std::size_t index = 0; index < met_.size(); ++index) {
      if (met_[index] == 0 && (only == 0 || only - 1 == index)) missing.insert(races()[index].name);
    }
    if (!missing.empty()) context_.note = fmt::format("without {}", fmt::join(missing, ", "));
    context_.exposure_hint = "the two threads hardly met; give it more rounds or larger files";
  }

 private:
  struct Ender {
    Meeting& meeting;
    ~Ender() { meeting.end(); }
  };

  void race(std::size_t index, std::uint64_t turn) {
    const Race& race = races()[index];
    RaceFile file(context_, context_.settings.option("file_bytes"), turn);
    over_[index] = !race.prepare(file);
    if (over_[index]) return;
    Meeting meeting;
    Finding wrong;
    {
      // Waits for the thread when it goes, after that was told to end.
      const auto other = std::async(std::launch::async, race.other, std::cref(file), std::ref(meeting));
      const Ender ender{meeting};
      race.change(file, meeting, wrong);
    }
    if (meeting.error() != 0) throw SystemError(fmt::format("{}, of {}", race.name, file.name()), meeting.error());
    file.unmap();
    context_.meter.expose(meeting.met());
    met_[index] += meeting.met();
    if (wrong.length_bytes != 0) report(file, wrong, race);
    const bool right = judge(file.view(), race);
    over_[index] = over_[index] || !right || wrong.length_bytes != 0;
  }

  void report(const RaceFile& file, Finding wrong, const Race& race) {
    wrong.kind = FindingKind::kZeroed;
    wrong.file = file.name();
    wrong.detail += fmt::format("; {}", race.name);
    context_.findings.report(wrong);
  }

  bool judge(const ContentView& view, const Race& race) {
    FileReport report = inspect_content(view, context_.findings.wanted(), [&](const FileReport& hot) {
      context_.findings.tell_early(hot);
      context_.findings.take_evidence(view.fd, view.name);
    });
    for (Finding& finding : report.findings) finding.detail += fmt::format("; {}", race.name);
    context_.findings.report(report, view);
    return report.tally.total() == 0;
  }

  RunContext& context_;
  std::vector<std::uint64_t> met_;  // of each race
  std::vector<bool> over_;
};

std::optional<Unsupported> run(RunContext& context) {
  Rounds(context).run();
  return std::nullopt;
}

}  // namespace

extern const Profile kSideBySide;
const Profile kSideBySide{describe, run, false, false};

}  // namespace writecanary::probe
