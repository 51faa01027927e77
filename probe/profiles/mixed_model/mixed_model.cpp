// mixed-model: a random mix of everything that changes a file, against a model in memory, in the manner of fsx.
//
// When the file is not as the model says, the list of operations is replayed ever shorter on new files, until only
// those are left without which it does not fail.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/error.h"
#include "core/host/host_facts.h"
#include "core/host/kernel_version.h"
#include "probe/profiles/mixed_model/file_executor.h"
#include "probe/profiles/mixed_model/shrink.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kCheckEvery = 16;  // operations between two comparisons of the whole file
constexpr std::size_t kReplaysMax = 300;
// Before each file some that stay small: within an inode (ext4), a leaf of the tree (btrfs), a page.
constexpr std::size_t kSmallFiles = 16;
constexpr std::size_t kSmallOperations = 32;
constexpr std::array<std::uint64_t, 2> kSmallBytes = {150, 3000};
constexpr std::size_t kOperationsTold = 16;     // in a finding's detail: those between two comparisons
constexpr std::size_t kOperationsListed = 200;  // in a finding; more than that nobody wants to read

constexpr KernelVersion kUnshareFixed = {6, 12};

// XFS zeroes acknowledged bytes there when somebody calls fallocate(UNSHARE_RANGE). Hardly anybody does, and it would
// be all that is found.
bool unshare_is_known_to_lose(const FilesystemFacts& filesystem, const KernelFacts& kernel) {
  const auto version = identify_kernel(kernel).version;
  return filesystem.type == "xfs" && version && *version < kUnshareFixed;
}

ProfileInfo describe() {
  return {
      .name = "mixed-model",
      .title = "a random mix against a model",
      .description =
          "Writes, appends, reads, truncations, allocations, holes, zeroed, collapsed and inserted ranges, syncs, "
          "evictions, copies, clones of files and ranges, deduplication, mapped and direct access, several direct "
          "writes at once, writes over what is being written back, writes that stop at memory which cannot be read, "
          "stores "
          "that are synced in between or lie behind the end, in random order, through io_uring and plain system calls.",
      .role = "detector",
      .oracle =
          "Reads return, and the file and its clone hold, what a model in memory says. A failure is replayed on new "
          "files until only the operations that it needs are left; the finding lists them.",
      .exposure = "An operation was executed and the file found right after it.",
      .needs_io_uring = false,
      .options = {{"operations", "operations on one file", "count", 1, 100'000, 2000},
                  {"file_bytes", "largest size of a file", "bytes", 8192, 4 << 20, 256 << 10},
                  {"stores_behind_end",
                   "1: also stores through a mapping behind the end, in the file's last page. XFS and ext4 of 6.1 hand "
                   "them out when the file grows, which concerns no acknowledged byte",
                   "0 or 1", 0, 1, 0},
                  {"unshare", "1: fallocate(UNSHARE_RANGE) also on XFS before 6.12, which zeroes bytes by it", "0 or 1",
                   0, 1, 0},
                  {"files", "files, after a few small ones each; 0: until another limit", "count", 0, 100'000, 3}},
      .references = {"fsx, in xfstests (ltp/fsx.c)"},
  };
}

class OperationsRound {
 public:
  // `operations` that are planned below `size`, but for those of the kind `without`. `counted`: its writes are some of
  // those that the run is to make.
  OperationsRound(RunContext& context, std::uint64_t turn, Ring* ring, std::size_t operations, std::uint64_t size,
                  bool counted, std::optional<OpKind> without)
      : context_(context),
        ring_(ring),
        counted_(counted),
        identity_(context.next_file_of_turn(turn)),
        operations_(
            plan_operations(identity_.seed, operations, size, context.settings.option("stores_behind_end") != 0)) {
    std::erase_if(operations_, [without](const Operation& planned) { return planned.kind == without; });
  }

  // Returns whether the file was right, and reports it if it was not.
  bool run(std::set<std::string>& refused) {
    FileReport wrong;
    std::size_t made = 0;
    {
      FileExecutor executor(context_, identity_, context_.settings.option("file_bytes"), ring_);
      while (made < operations_.size() && wrong.tally.total() == 0 && context_.limits.may_continue()) {
        operations_[made] = executor.resolved(operations_[made]);  // so that replays can leave others out
        wrong = execute(executor, operations_[made++]);
        if (made % kCheckEvery == 0 && wrong.tally.total() == 0) wrong = check(executor.compare());
      }
      const auto early = [this](const FileReport& report) { context_.findings.tell_early(report); };
      if (wrong.tally.total() != 0) early(wrong);
      if (wrong.tally.total() == 0) wrong = check(executor.inspect(early));
      refused.insert(executor.refused().begin(), executor.refused().end());
      if (wrong.tally.total() != 0) executor.keep_evidence(wrong);
    }
    if (wrong.tally.total() == 0) {
      context_.meter.expose(made);
      return true;
    }
    explain(wrong, made);
    return false;
  }

 private:
  // What was acknowledged before is judged when the operation fails.
  FileReport execute(FileExecutor& executor, const Operation& operation) {
    try {
      return executor.execute(operation, counted_);
    } catch (const SystemError&) {
      // What could not be written back may be gone from the page cache as well, and that was said.
      const bool syncs = operation.kind == OpKind::kSync || operation.kind == OpKind::kStoreSynced;
      if (syncs || operation.kind == OpKind::kEvict) throw;
      try {
        executor.take_over(operation);
        const FileReport report = executor.compare();
        if (report.tally.total() != 0) executor.keep_evidence(report);
        context_.findings.report(report);
      } catch (const SystemError&) {  // cannot even be read; why the operation failed says more
      }
      throw;
    }
  }

  // Keeps what was verified and is right out of the way.
  FileReport check(FileReport report) {
    if (report.tally.total() == 0) context_.findings.report(report);
    return report;
  }

  FileReport replay(std::span<const std::size_t> indices) {
    FileIdentity replayed = identity_;
    replayed.name += fmt::format("-replay-{}", ++replays_);
    FileExecutor executor(context_, replayed, context_.settings.option("file_bytes"), ring_);
    for (const std::size_t index : indices) {
      if (!has_room()) return {};
      FileReport wrong = executor.execute(operations_[index], false);
      if (wrong.tally.total() != 0) return wrong;
    }
    return executor.inspect();
  }

  bool has_room() {
    room_ = room_ && context_.limits.has_room();
    return room_;
  }

  // Reports the failure as the shortest list shows it, or as it was seen if it does not come again. It was told early:
  // replays may take the rest of the run's time, bytes and space, and no more.
  void explain(FileReport wrong, std::size_t made) {
    FileReport last;
    const Shrunk shrunk = shrink(made, kReplaysMax, [&](std::span<const std::size_t> indices) {
      FileReport report;
      try {
        if (has_room()) report = replay(indices);
      } catch (const SystemError&) {  // such as a disk that is full by now: shows nothing
      }
      if (report.tally.total() == 0) return false;
      last = std::move(report);
      return true;
    });
    std::vector<std::string> listed;
    std::string text = fmt::format("after {} operations, which {}", made,
                                   room_ ? "did not fail when they were replayed"
                                         : "were not replayed to the end: the run had come to its limit of time, bytes "
                                           "or space");
    if (shrunk.reproduced) {
      wrong = std::move(last);
      for (const std::size_t index : shrunk.indices) listed.push_back(to_string(operations_[index]));
      // Of many the last: the others made the file what it was.
      const auto told = std::span(listed).last(std::min(kOperationsTold, listed.size()));
      text = fmt::format("shrunk from {} operations to {} in {} replays: {}{}", made, shrunk.indices.size(),
                         shrunk.replays, told.size() < listed.size() ? "..., " : "", fmt::join(told, ", "));
    }
    const bool stored_behind = shrunk.reproduced && std::ranges::any_of(shrunk.indices, [this](std::size_t index) {
                                 return operations_[index].kind == OpKind::kStoreBehind;
                               });
    if (stored_behind) {
      text +=
          "; it takes a store through a mapping behind the end, which came into the file when it grew: no acknowledged "
          "byte is wrong, and stock kernels do so (6.1 on XFS and ext4)";
    }
    for (Finding& finding : wrong.findings) {
      // Replays have names of their own.
      finding.file = identity_.name + (finding.file.ends_with(kTwinSuffix) ? kTwinSuffix : "");
      finding.detail += "; " + text;
      if (listed.size() <= kOperationsListed) finding.operations = listed;
    }
    context_.findings.report(wrong);
  }

  RunContext& context_;
  Ring* ring_;
  bool counted_;
  FileIdentity identity_;
  std::vector<Operation> operations_;
  std::size_t replays_ = 0;
  bool room_ = true;  // for replays
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported no_ring;
  const auto ring = Ring::open_if_possible(1, no_ring);
  std::set<std::string> refused;
  if (!ring) refused.insert("io_uring (" + no_ring.reason + ")");
  std::optional<OpKind> without;
  if (context.settings.option("unshare") == 0 &&
      unshare_is_known_to_lose(context.workspace.filesystem(), kernel_facts()))
    without = OpKind::kUnshare;
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made) {
    bool right = true;
    for (std::size_t small = 0; right && small < kSmallFiles && context.limits.may_continue(); ++small) {
      right = OperationsRound(context, made, ring.get(), kSmallOperations, kSmallBytes.at(small % kSmallBytes.size()),
                              false, without)
                  .run(refused);
    }
    if (!right || !context.limits.may_continue()) break;
    right = OperationsRound(context, made, ring.get(), context.settings.option("operations"),
                            context.settings.option("file_bytes"), true, without)
                .run(refused);
    if (!right) break;  // one failure is told well; the next ones would be the same
  }
  if (!refused.empty()) context.note = fmt::format("without {}, refused here", fmt::join(refused, ", "));
  if (without) {
    context.note += fmt::format("{}without fallocate(UNSHARE_RANGE), which is known to zero bytes on XFS before 6.12",
                                context.note.empty() ? "" : ", ");
  }
  return std::nullopt;
}

}  // namespace

extern const Profile kMixedModel;
const Profile kMixedModel{describe, run, false, false};

}  // namespace writecanary::probe
