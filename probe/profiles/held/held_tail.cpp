// held-tail: a write that makes a file longer is held open after its first part, and readers look at what is there.
//
// The size that fstat(2) shows is a promise: every byte below it was written. Between the first part of a write and the
// rest of it lies the moment in which that can be untrue: a size that runs ahead of the bytes, a page that is shown
// before it is filled, or dropped before it is written. tail-reader waits for such a moment; here it is held open, at
// one of three places: after a first part, after a first part that was written back and evicted, and after a copy that
// failed because its source had gone between looking and copying.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/profiles/held/witness.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kPagesMax = 8;  // before the end of a chunk, and behind it

enum class Moment : std::uint8_t { kFirstPart, kEvicted, kFailedCopy };
constexpr std::array kMoments = {Moment::kFirstPart, Moment::kEvicted, Moment::kFailedCopy};

ProfileInfo describe() {
  return {
      .name = "held-tail",
      .title = "reading behind a write that is held open",
      .description =
          "A write behind the end of a file is held open at a page of its source (userfaultfd) when its first part is "
          "in the "
          "file. Beside it the size is asked for, and what is below it read through a mapping and with pread(2), in "
          "turn as "
          "it is, after it was written back and evicted, and when the source has failed once.",
      .role = "detector",
      .oracle = "Nothing below a size that was seen, and nothing that a read returns, is other than what was written.",
      .exposure =
          "The write was held open after its first part: the size had grown, and the evicted part had left the page "
          "cache (mincore).",
      .needs_io_uring = false,
      .options = {{"holds", "writes to hold; 0: until another limit", "count", 0, 1'000'000, 45}},
      .references = {"https://git.kernel.org/linus/e2c27b803bb6 (mm/filemap: avoid buffered read/write race to read "
                     "inconsistent data, 6.7)"},
  };
}

class TailHold {
 public:
  TailHold(RunContext& context, WithheldMemory& memory, std::uint64_t chunk)
      : context_(context),
        page_(context.workspace.page_bytes()),
        chunk_(chunk),
        file_(context, memory),
        memory_(memory) {}

  void run(Moment moment) {
    const std::uint64_t start = chunk_ - (1 + any(0, (kPagesMax - 1) * page_));
    const std::uint64_t head = chunk_ - start;
    const std::uint64_t bytes = head + 2 * page_ + any(1, (kPagesMax - 2) * page_);
    old_ = start - std::min(start, 1 + any(2, 3 * page_));
    file_.resize(old_);
    file_.write(kOldBytes, old_, start - old_);
    right_ = file_.with_held(file_.image(), start, bytes);
    Witness witness(file_, right_);
    HeldFile::Held write{.fd = file_.fd(), .offset = start, .bytes = bytes, .lead = start % page_};
    write.withheld = head + page_;
    HoldPlan plan;
    if (moment == Moment::kFailedCopy) {
      // A page of the file gets its bytes from two pages of the source. The kernel looks at both; the first goes when
      // the second stops it, so that its copy fails, and stops it again.
      write.lead = (write.lead + page_ / 2) % page_;
      write.also_withheld = write.withheld + page_;
      plan.stop = 3;
      plan.on_the_way = [&](unsigned stop) {
        if (stop == 2) memory_.take_away(write.withheld);
      };
    }
    std::uint64_t size = 0;
    bool there = true;
    std::optional<Contender> reader;
    std::vector<std::byte> read(bytes + page_);
    file_.write_held(
        write,
        [&] {
          size = file_.size_bytes();
          if (moment == Moment::kEvicted) there = evict(size);
          look(witness, size);
          reader.emplace([&] {
            return returned(
                retried([&] { return pread(file_.fd(), read.data(), read.size(), static_cast<off_t>(old_)); }));
          });
        },
        [&] { return size > start && there; }, plan);
    see_read(witness, reader->result(), read, size);
    file_.image() = right_;
    file_.judge_mostly_hot();
    witness.report(context_.findings);
  }

 private:
  static std::int64_t returned(ssize_t result) { return result < 0 ? -errno : result; }
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const { return derive_seed(file_.seed(), what) % below; }

  // True when whole pages of what is there have left the page cache.
  bool evict(std::uint64_t size) {
    const std::uint64_t begin = old_ / page_ * page_, end = size / page_ * page_;
    return begin < end && evict_range(file_.fd(), file_.name(), begin, end - begin);
  }

  void look(Witness& witness, std::uint64_t size) {
    if (size <= old_) return;
    witness.load(file_.fd(), old_, size - old_, fmt::format("as a mapping showed it with a size of {}", size));
    witness.read_at_once(file_.fd(), old_, size + page_ - old_,
                         fmt::format("as pread(2) read it with a size of {}", size));
  }

  // A read that began while the write was held, and may have waited for it.
  void see_read(Witness& witness, std::int64_t result, std::span<const std::byte> read, std::uint64_t size) {
    const std::string how = fmt::format("as pread(2) read it that began with a size of {}", size);
    if (result < 0) throw SystemError("read " + file_.name(), static_cast<int>(-result));
    const auto got = static_cast<std::uint64_t>(result);
    witness.see(old_, read.first(got), how);
    const std::uint64_t due = std::min<std::uint64_t>(size, old_ + read.size());
    if (old_ + got < due) witness.miss(old_ + got, due, how);
  }

  RunContext& context_;
  std::uint64_t page_, chunk_;
  HeldFile file_;
  WithheldMemory& memory_;
  std::uint64_t old_ = 0;  // where the bytes of before begin; a hole lies before them
  std::vector<std::byte> right_;
};

std::optional<Unsupported> run(RunContext& context) {
  const auto memory = open_withheld(context.workspace, (2 * kPagesMax + 4) * context.workspace.page_bytes());
  const auto chunk = chunk_bytes(context, *memory);
  const std::uint64_t holds = context.settings.option("holds");
  for (std::uint64_t made = 0; context.limits.may_continue() && (holds == 0 || made < holds); ++made) {
    TailHold(context, *memory, chunk.value_or(kChunkBytesMax)).run(kMoments.at(made % kMoments.size()));
  }
  context.exposure_hint = explain_missing_holds(
      *memory, chunk ? "the size did not grow, or nothing could be evicted, while a write was held"
                     : "no part of a write could be seen before all of it was there");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldTail;
const Profile kHeldTail{describe, run, false};

}  // namespace writecanary::probe
