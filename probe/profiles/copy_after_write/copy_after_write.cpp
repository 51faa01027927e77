// copy-after-write: a file with holes is copied the moment it was written, while its pages are still dirty.
//
// cp(1) asks the filesystem where data is (SEEK_DATA), or has the kernel copy (copy_file_range, FICLONE, sendfile). All
// of them must know of data that is only in the page cache yet, whichever way it came there. OpenZFS did not always:
// copies came out with holes in them.
#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "core/base/error.h"
#include "probe/profiles/copy_after_write/copy_methods.h"
#include "probe/profiles/copy_after_write/copy_source.h"
#include "probe/profiles/copy_after_write/dirty_pages.h"
#include "probe/profiles/copy_after_write/hole_map.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "copy-after-write",
      .title = "copies of what was just written",
      .description =
          "A file with holes is written in one of five ways (into holes, over preallocated space, through a mapping, "
          "with O_DIRECT in turn, over what was written back) and copied at once: where SEEK_DATA finds data, with "
          "copy_file_range(2), FICLONE, sendfile(2) or splice(2); by pieces over a file that holds other bytes, with "
          "FICLONERANGE, copy_file_range(2) and FIDEDUPERANGE; through pipes and sockets that take less than they are "
          "offered.",
      .role = "detector",
      .oracle =
          "Copy and source are what was written, holes as zeros, in the page cache and on storage; neither SEEK_DATA "
          "nor SEEK_HOLE takes written bytes for a hole.",
      .exposure =
          "The source had dirty pages when the copy began, as cachestat(2) tells, or /proc/self/smaps before Linux "
          "6.5.",
      .needs_io_uring = false,
      .options = {{"file_bytes", "size of a source", "bytes", 64 << 10, 8 << 20, 512 << 10},
                  {"write_max_bytes", "largest write, and largest hole", "bytes", 4096, 1 << 20, 64 << 10},
                  {"copies", "copies to make; 0: until another limit", "count", 0, 100'000, 100}},
      .references = {"https://github.com/openzfs/zfs/issues/15526 (a copy of a file has holes; 2.1.14, 2.2.2)",
                     "https://github.com/openzfs/zfs/issues/15933", "copy_file_range(2)", "lseek(2), SEEK_DATA",
                     "https://git.kernel.org/linus/9d2231c5d74e (a write to a pipe changes a file; CVE-2022-0847)"},
  };
}

class CopyRound {
 public:
  CopyRound(RunContext& context, std::uint64_t turn)
      : context_(context),
        identity_(context.next_file_of_turn(turn)),
        source_(context, identity_, context.settings.option("file_bytes")) {}

  // Returns what the method returned. `as_asked`: whether the source could be made so.
  int run(const CopyMethod& method, SourceState state, bool& as_asked) {
    try {
      as_asked = source_.write(state);
    } catch (const WriteFailed& failed) {
      source_.take_over(failed);
      judge(source_.fd(), source_.name());
      throw;
    }
    const RunFile copy(context_.workspace, source_.name() + "-copy", 0);
    const bool dirty = has_dirty_pages(source_.fd(), source_.last_written(), context_.workspace.filesystem().type);
    if (lseek(source_.fd(), 0, SEEK_SET) != 0) throw_errno("seek " + source_.name());
    const HoleMap holes = read_hole_map(source_.fd(), source_.name(), source_.image().size());
    if (lseek(source_.fd(), 0, SEEK_SET) != 0) throw_errno("seek " + source_.name());
    const int refused = method.copy(source_.fd(), copy.fd(), source_.image().size());
    if (refused == 0 && dirty) context_.meter.expose(1);
    report(holes.by_seek_data, "SEEK_DATA", state);
    report(holes.by_seek_hole, "SEEK_HOLE", state);
    if (refused != 0) return refused;
    judge(copy.fd(), copy.name());
    judge(source_.fd(), source_.name());
    return 0;
  }

 private:
  void report(std::span<const FileRange> holes, const char* call, SourceState state) {
    for (const FileRange& wrong : data_in_holes(holes, source_.image())) {
      Finding finding;
      finding.kind = FindingKind::kZeroed;
      finding.file = source_.name();
      finding.offset_bytes = wrong.offset;
      finding.length_bytes = wrong.length;
      finding.page_aligned = wrong.offset % context_.workspace.page_bytes() == 0;
      finding.detail = fmt::format("{} takes {} written bytes for a hole, in a file that was {}", call, wrong.length,
                                   to_string(state));
      context_.findings.report(finding);
    }
  }

  void judge(int fd, const std::string& name) {
    judge_content(context_.findings, {.fd = fd,
                                      .name = name,
                                      .size_bytes = source_.image().size(),
                                      .expected = bytes_of(source_.image()),
                                      .run_tag = identity_.tag.run,
                                      .incompressible = identity_.incompressible});
  }

  RunContext& context_;
  FileIdentity identity_;
  CopySource source_;
};

void leave_out(RunContext& context, const std::string& what) {
  context.note += (context.note.empty() ? "" : ", ") + what;
}

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t copies = context.settings.option("copies");
  std::vector<CopyMethod> methods(copy_methods().begin(), copy_methods().end());
  std::vector<SourceState> states(kSourceStates.begin(), kSourceStates.end());
  for (std::uint64_t made = 0; context.limits.may_continue() && (copies == 0 || made < copies); ++made) {
    const auto method = methods.begin() + static_cast<std::ptrdiff_t>(made % methods.size());
    const auto state = states.begin() + static_cast<std::ptrdiff_t>((made + made / methods.size()) % states.size());
    bool as_asked = true;
    const int refused = CopyRound(context, made / copy_methods().size()).run(*method, *state, as_asked);
    if (!as_asked && states.size() > 1) {
      leave_out(context, fmt::format("without sources {}, which is refused here", to_string(*state)));
      states.erase(state);
    }
    if (refused == 0) continue;
    leave_out(context, fmt::format("without {}, which is refused here: {}", method->name, error_text(refused)));
    methods.erase(method);
    if (methods.empty()) return Unsupported{context.note};
  }
  context.exposure_hint =
      context.meter.counters().exposures != 0
          ? "too few copies were made, or of sources that were written back already"
          : "the sources had no dirty pages when they were copied, as far as the kernel tells: this "
            "filesystem has nothing to write back";
  return std::nullopt;
}

}  // namespace

extern const Profile kCopyAfterWrite;
const Profile kCopyAfterWrite{describe, run, false, false};

}  // namespace writecanary::probe
