// shared-blocks: a write of parts of blocks is held open while the rest of those blocks, a neighbour's, is written back
// and dropped from the page cache.
//
// A write of part of a block must know what the rest of the block holds. A kernel that asks before it copies and acts
// on the answer afterwards (a stale mapping) takes for empty a block that writeback has filled in between, and puts
// zeros where the neighbour's bytes were. So the blocks are preallocated and empty on storage, and the neighbour's
// bytes are in the page cache alone, when the write asks; and they are on storage alone when it goes on.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "probe/access/extents.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kWritesPerFile = 12;

ProfileInfo describe() {
  return {
      .name = "shared-blocks",
      .title = "writes that share blocks",
      .description =
          "Into preallocated space a neighbour writes the begin of one block and the end of another. A write of all "
          "between is held open at a page of its source (userfaultfd) while the neighbour's bytes are written back and "
          "evicted, and then goes on.",
      .role = "detector",
      .oracle = "Every byte is what its owner wrote; what nobody wrote is zero.",
      .exposure =
          "A write was held open while both blocks that it shares were written back and evicted, as mincore(2) "
          "tells, and FIEMAP had said before that they were not written yet.",
      .needs_io_uring = false,
      .options = {{"blocks_max", "largest write, in blocks", "count", 2, 512, 12},
                  {"holds", "writes to hold; 0: until another limit", "count", 0, 1'000'000, 120}},
      .references = {"https://git.kernel.org/linus/d7b64041164c (iomap: write iomap validity checks, 6.2)",
                     "https://git.kernel.org/linus/304a68b9c63b (xfs: use iomap_valid method to detect stale cached "
                     "iomaps, 6.2)"},
  };
}

// Why writes were not exposed.
struct Misses {
  int refused = 0;  // the errno of preallocation
  std::uint64_t written_before = 0, not_evicted = 0, not_held = 0;
};

// One held write with its neighbour, in blocks that nobody else uses.
struct Place {
  std::uint64_t first_block = 0, last_block = 0;  // offsets of the two that are shared
  std::uint64_t begin = 0, end = 0;               // of the held write
  std::size_t withheld = 0;                       // byte of its source
};

class BlocksFile {
 public:
  BlocksFile(RunContext& context, WithheldMemory& memory, std::uint64_t block_bytes, Misses& misses)
      : context_(context),
        misses_(misses),
        file_(context, memory),
        block_(block_bytes),
        blocks_max_(context.settings.option("blocks_max")) {
    const std::uint64_t bytes = kWritesPerFile * (blocks_max_ + 2) * block_;
    if (fallocate(file_.fd(), 0, 0, static_cast<off_t>(bytes)) != 0) misses_.refused = errno;
    file_.resize(bytes);
  }

  void run(std::uint64_t holds) {
    for (std::uint64_t i = 0; i < std::min(holds, kWritesPerFile) && context_.limits.may_continue(); ++i) {
      write_held(choose(i));
    }
    file_.judge();
  }

 private:
  Place choose(std::uint64_t number) const {
    const auto any = [&](std::uint64_t what, std::uint64_t below) {
      return derive_seed(file_.seed(), number * 8 + what) % below;
    };
    Place place;
    place.first_block = number * (blocks_max_ + 2) * block_;
    place.last_block = place.first_block + (1 + any(0, blocks_max_)) * block_;
    place.begin = place.first_block + 1 + any(1, block_ - 1);
    place.end = place.last_block + 1 + any(2, block_ - 1);
    // At the first page every kernel still has all of the write before it. A later one stops the write in its middle,
    // where the kernel copies page by page; the first shared block is then done.
    place.withheld = any(3, 2) == 0 ? 0 : any(4, place.last_block - place.begin);
    return place;
  }

  void write_held(const Place& place) {
    file_.write(kOtherBytes, place.first_block, place.begin - place.first_block);
    file_.write(kOtherBytes, place.end, place.last_block + block_ - place.end);
    const bool unwritten = misses_.refused == 0 && is_unwritten(file_.fd(), place.first_block, block_) &&
                           is_unwritten(file_.fd(), place.last_block, block_);
    bool evicted = false;
    HeldOutcome outcome;
    try {
      outcome = file_.write_held(
          {.fd = file_.fd(),
           .offset = place.begin,
           .bytes = place.end - place.begin,
           .withheld = place.withheld,
           .lead = place.begin % context_.workspace.page_bytes()},
          [&] { evicted = evict(place); }, [&] { return unwritten && evicted; });
    } catch (const WriteFailed&) {
      file_.judge_before(place.begin, place.end - place.begin);
      throw;
    }
    file_.accept_held(place.begin, place.end - place.begin);
    misses_.not_held += outcome.held() ? 0 : 1;
    misses_.written_before += unwritten ? 0 : 1;
    misses_.not_evicted += evicted ? 0 : 1;
  }

  bool evict(const Place& place) const {
    const bool first = evict_range(file_.fd(), file_.name(), place.first_block, block_);
    return evict_range(file_.fd(), file_.name(), place.last_block, block_) && first;
  }

  RunContext& context_;
  Misses& misses_;
  HeldFile file_;
  std::uint64_t block_, blocks_max_;
};

std::string hint(const Misses& misses, const WithheldMemory& memory, const std::string& type) {
  if (misses.refused != 0) return fmt::format("{} preallocates no blocks: {}", type, error_text(misses.refused));
  return explain_missing_holds(memory,
                               fmt::format("of the writes {} were not held, {} had blocks that {} does not call "
                                           "unwritten (FIEMAP), {} had blocks that could not be evicted",
                                           misses.not_held, misses.written_before, type, misses.not_evicted));
}

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t block = context.workspace.block_bytes();
  const std::uint64_t asked = context.settings.option("holds");
  const auto memory = open_withheld(context.workspace, (context.settings.option("blocks_max") + 2) * block);
  Misses misses;
  for (std::uint64_t made = 0; context.limits.may_continue() && (asked == 0 || made < asked); made += kWritesPerFile) {
    BlocksFile(context, *memory, block, misses).run(asked == 0 ? kWritesPerFile : asked - made);
  }
  context.exposure_hint = hint(misses, *memory, context.workspace.filesystem().type);
  return std::nullopt;
}

}  // namespace

extern const Profile kSharedBlocks;
const Profile kSharedBlocks{describe, run, false};

}  // namespace writecanary::probe
