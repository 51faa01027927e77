// held-read: a read is held open in its middle, at a page of the memory that it fills, while what it reads is evicted,
// overwritten or cut off beside it.
//
// The kernel has found the pages of the file and is copying them out, or has handed the memory to storage. Who changes
// the file now must wait, or leave those pages alone until the reader is done: a page that is given to somebody else
// under a reader shows bytes of another file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_io.h"
#include "probe/access/range_state.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/profiles/held/witness.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kPages = 32;  // for a read
constexpr std::uint64_t kReadsPerFile = 12;

enum class Beside : std::uint8_t { kEvict, kOverwrite, kCut };
constexpr std::array kBeside = {Beside::kEvict, Beside::kOverwrite, Beside::kCut};

ProfileInfo describe() {
  return {
      .name = "held-read",
      .title = "changes beside a read that is held open",
      .description =
          "A read, every second one with O_DIRECT, is held open at a page of the memory that it fills (userfaultfd). "
          "Beside "
          "it the file is evicted, overwritten, or cut off and written again, in turn.",
      .role = "detector",
      .oracle =
          "Every byte that the read returns stood there at some time during the read: the old one, the new one, or "
          "zero where the file was cut. The file is right afterwards.",
      .exposure =
          "The other call was made while the read was held open; an eviction that dropped pages (mincore), if it was "
          "one.",
      .needs_io_uring = false,
      .options = {{"holds", "reads to hold; 0: until another limit", "count", 0, 1'000'000, 48}},
      .references = {"read(2)", "Documentation/filesystems/locking.rst"},
  };
}

class ReadHolds {
 public:
  ReadHolds(RunContext& context, WithheldMemory& memory, std::uint64_t unit, bool also_direct)
      : context_(context),
        memory_(memory),
        page_(context.workspace.page_bytes()),
        unit_(unit),
        file_(context, memory),
        buffered_(file_.open(O_RDONLY)) {
    if (also_direct) direct_ = file_.open(O_RDONLY | O_DIRECT);
  }

  void run(std::uint64_t holds) {
    for (; number_ < std::min(holds, kReadsPerFile) && context_.limits.may_continue(); ++number_) {
      read_held(kBeside.at(number_ / 2 % kBeside.size()));
    }
    file_.judge();
  }

 private:
  static std::int64_t result_of(ssize_t returned) { return returned < 0 ? -errno : returned; }
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const {
    return derive_seed(file_.seed(), number_ * 8 + what) % below;
  }
  bool is_direct() const { return direct_ && number_ % 2 == 1; }

  void read_held(Beside beside) {
    const std::uint64_t place = file_.image().size();
    file_.write(kOldBytes, place, kPages * unit_);
    if (any(0, 2) == 0) evict_range(file_.fd(), file_.name(), place, kPages * unit_);
    const std::uint64_t begin = place + any(1, 4) * unit_ + (is_direct() ? 0 : any(2, unit_));
    const std::uint64_t bytes = (8 + any(3, kPages / 2)) * unit_;
    // What is changed lies on both sides of the page at which the read is held.
    const std::uint64_t withheld = any(4, bytes), change = begin + any(5, bytes / 2), changed = bytes / 2;
    old_ = file_.image();
    new_ = file_.image();
    apply(beside, change, changed);
    const int from = is_direct() ? direct_.get() : buffered_.get();
    const auto into = memory_.fill(std::vector<std::byte>(bytes, std::byte{0xee}), 0, withheld);
    const CoveredStates met = state_of(file_.fd(), {begin, bytes}, file_.image().size());
    bool dropped = true;
    std::optional<Contender> contender;
    const HeldOutcome outcome = hold(
        memory_,
        [&] {
          return result_of(retried([&] { return pread(from, into.data(), into.size(), static_cast<off_t>(begin)); }));
        },
        [&] {
          if (beside == Beside::kEvict) {
            dropped = drop(begin, bytes);
          } else {
            contender.emplace([&] { return make(beside, change, changed); });
          }
        });
    context_.meter.cover(CoveredOperation::kRead, CoveredWay::kHeld, met);
    if (outcome.held() && dropped) context_.meter.expose(1);
    if (contender && contender->result() < 0) {
      throw SystemError("change " + file_.name(), static_cast<int>(-contender->result()));
    }
    if (outcome.result < 0) throw SystemError("read " + file_.name(), static_cast<int>(-outcome.result));
    file_.image() = new_;
    judge_read(beside, begin, into, static_cast<std::uint64_t>(outcome.result), change);
  }

  // What the change will make of the file.
  void apply(Beside beside, std::uint64_t change, std::uint64_t bytes) {
    if (beside == Beside::kEvict) return;
    if (beside == Beside::kCut) std::fill(new_.begin() + static_cast<std::ptrdiff_t>(change), new_.end(), std::byte{0});
    written_ = file_.make(kOtherBytes, change, bytes);
    std::ranges::copy(written_, new_.begin() + static_cast<std::ptrdiff_t>(change));
  }

  std::int64_t make(Beside beside, std::uint64_t change, std::uint64_t bytes) const {
    const int fd = file_.fd();
    if (beside == Beside::kCut && ftruncate(fd, static_cast<off_t>(change)) != 0) return -errno;
    const std::int64_t returned =
        result_of(retried([&] { return pwrite(fd, written_.data(), bytes, static_cast<off_t>(change)); }));
    if (beside == Beside::kCut && ftruncate(fd, static_cast<off_t>(new_.size())) != 0) return -errno;
    return returned;
  }

  // True when pages left the page cache.
  bool drop(std::uint64_t begin, std::uint64_t bytes) {
    const std::uint64_t before = resident_pages(file_.fd(), begin, bytes);
    evict_range(file_.fd(), file_.name(), begin / page_ * page_, bytes + page_);
    return resident_pages(file_.fd(), begin, bytes) < before;
  }

  void judge_read(Beside beside, std::uint64_t begin, std::span<const std::byte> into, std::uint64_t got,
                  std::uint64_t change) {
    const auto seen = into.first(std::min<std::uint64_t>(got, into.size()));
    std::vector<std::byte> right = new_;
    for (std::uint64_t i = 0; i < seen.size(); ++i) {
      const std::uint64_t at = begin + i;
      const bool cut = beside == Beside::kCut && at >= change;
      if (seen[i] == old_[at] || (cut && seen[i] == std::byte{0})) right[at] = seen[i];
    }
    Witness witness(file_, right);
    const std::string how =
        fmt::format("as a {} read that was held open returned it", is_direct() ? "direct" : "buffered");
    witness.see(begin, seen, how);
    // Only where the file was cut may a read end early.
    const std::uint64_t due = beside == Beside::kCut ? std::max(begin, change) : begin + into.size();
    if (begin + got < due) witness.miss(begin + got, due, how);
    witness.report(context_.findings);
  }

  RunContext& context_;
  WithheldMemory& memory_;
  std::uint64_t page_, unit_;
  HeldFile file_;
  Fd buffered_, direct_;
  std::uint64_t number_ = 0;  // of the read in this file
  std::vector<std::byte> old_, new_, written_;
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  const auto direct_io = try_direct_io(context.workspace, refused);
  if (!direct_io) context.note = "without direct reads: " + refused.reason;
  const std::uint64_t unit = std::max(context.workspace.page_bytes(), direct_io.value_or(DirectIo{}).alignment);
  const auto memory = open_withheld(context.workspace, kPages * unit);
  const std::uint64_t holds = context.settings.option("holds");
  for (std::uint64_t made = 0; context.limits.may_continue() && (holds == 0 || made < holds); made += kReadsPerFile) {
    ReadHolds(context, *memory, unit, direct_io.has_value()).run(holds == 0 ? kReadsPerFile : holds - made);
  }
  context.exposure_hint = explain_missing_holds(*memory, "nothing was evicted or changed while a read was held");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldRead;
const Profile kHeldRead{describe, run, false, false};

}  // namespace writecanary::probe
