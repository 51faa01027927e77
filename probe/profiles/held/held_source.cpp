// held-source: a write whose source goes away while it is held open, for a moment or for good.
//
// A write looks whether its source can be read before it copies, and cannot rely on it: a page may be gone again when
// it copies, or the source may end in memory that cannot be read. It then has copied less than it meant to, and must go
// on, or stop, with the right byte. What it gives back after it stopped (a size, a reservation of blocks) must not take
// along what others have stored there meanwhile.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/mapped_access.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kPages = 24;     // for a write, of which it takes the middle
constexpr std::uint64_t kPagesMax = 10;  // of a write
constexpr std::uint64_t kPiecesOfPage = 4;
constexpr std::uint64_t kWritesPerFile = 12;
constexpr std::uint64_t kLostPagesMax = 6;  // that it asked for behind the end of what can be read

ProfileInfo describe() {
  return {
      .name = "held-source",
      .title = "writes whose source goes away",
      .description =
          "A write into old bytes, a hole or preallocated blocks, or across the end of the file, is held open at a "
          "page of "
          "its source (userfaultfd). Every second one finds a page gone that it has just looked at; the others end in "
          "memory that cannot be read, and beside most of them a mapping stores further on in the range.",
      .role = "detector",
      .oracle =
          "The file holds what the result acknowledges, no more of the write than that, the store, and what was there "
          "before.",
      .exposure =
          "The write was held open: after its copy had failed once, or with the store made, if one is, and a result "
          "that "
          "is shorter than what was asked for.",
      .needs_io_uring = false,
      .options = {{"holds", "writes to hold; 0: until another limit", "count", 0, 1'000'000, 60}},
      .references = {"https://git.kernel.org/linus/f43dc4dc3eff (iomap: buffered write failure should not truncate the "
                     "page cache, 6.2)",
                     "write(2), EFAULT"},
  };
}

class SourceHolds {
 public:
  SourceHolds(RunContext& context, WithheldMemory& memory)
      : context_(context), memory_(memory), page_(context.workspace.page_bytes()), file_(context, memory) {}

  void run(std::uint64_t holds) {
    for (; number_ < std::min(holds, kWritesPerFile) && context_.limits.may_continue(); ++number_) {
      place_ = number_ * kPages * page_;
      fill();
      begin_ = place_ + any(1, 4 * page_);
      bytes_ = 4 * page_ + any(2, (kPagesMax - 4) * page_);
      if (number_ % 2 == 0) {
        lose_for_good();
      } else {
        lose_for_a_moment();
      }
    }
    file_.judge();
  }

 private:
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const {
    return derive_seed(file_.seed(), number_ * 8 + what) % below;
  }

  // Old bytes, a hole or preallocated blocks; old bytes in the page cache or on storage alone.
  void fill() {
    const std::uint64_t what = any(0, 4), bytes = kPages * page_;
    file_.resize(place_ + bytes);
    if (what < 2) file_.write(kOldBytes, place_, bytes);
    if (what == 1) evict_range(file_.fd(), file_.name(), place_, bytes);
    if (what == 2) fallocate(file_.fd(), 0, static_cast<off_t>(place_), static_cast<off_t>(bytes));
  }

  // The source is pieces of memory, each in a page of its own, several for a page of the file. The kernel looks at all
  // of them before it copies; when the last one stops it, the one before goes. So it has copied some, and must take
  // that back.
  void lose_for_a_moment() {
    const std::uint64_t piece = page_ / kPiecesOfPage;
    bytes_ = bytes_ / piece * piece;
    const std::vector<std::byte> made = file_.make(kHeldBytes, begin_, bytes_);
    std::vector<std::byte> spread(bytes_ / piece * page_);
    for (std::uint64_t i = 0; i * piece < bytes_; ++i) {
      std::ranges::copy(std::span(made).subspan(i * piece, piece),
                        spread.begin() + static_cast<std::ptrdiff_t>(i * page_));
    }
    const std::uint64_t last = last_piece_of_a_page(piece);
    const auto source = memory_.fill(spread, 0, last * page_);
    std::vector<iovec> pieces;
    for (std::uint64_t i = 0; i * piece < bytes_; ++i) pieces.push_back({source.data() + i * page_, piece});
    const HeldOutcome outcome = hold(
        memory_,
        [&] {
          const ssize_t returned =
              pwritev(file_.fd(), pieces.data(), static_cast<int>(pieces.size()), static_cast<off_t>(begin_));
          return returned < 0 ? -errno : returned;
        },
        [] {}, {.stop = 2, .on_the_way = [&](unsigned) { memory_.take_away((last - 1) * page_); }});
    WriteRef ref;
    ref.length_bytes = bytes_;
    ref.result = outcome.result;
    context_.meter.count(ref, outcome.held());
    if (outcome.result < 0) throw SystemError("write to " + file_.name(), static_cast<int>(-outcome.result));
    const auto done = static_cast<std::uint64_t>(outcome.result);
    write_counted(context_.meter, file_.fd(), file_.name(), begin_ + done, std::span(made).subspan(done));
    file_.accept_held(begin_, bytes_);
  }

  // A piece that ends a page of the file which the write fills, with two more of that page before it.
  std::uint64_t last_piece_of_a_page(std::uint64_t piece) const {
    const std::uint64_t whole = (begin_ + page_ - 1) / page_ + any(3, bytes_ / page_ - 1);
    return ((whole + 1) * page_ - begin_) / piece - 1;
  }

  // The bytes lie right before memory that cannot be read, and more of it is asked for. Every third one crosses the end
  // of the file; beside the others a mapping stores further on.
  void lose_for_good() {
    const bool at_end = any(6, 3) == 0;
    if (at_end) file_.resize(begin_ + 1 + any(7, bytes_ - 1));
    const std::vector<std::byte> made = file_.make(kHeldBytes, begin_, bytes_);
    const auto source = memory_.fill(made, memory_.size_bytes() - bytes_, any(4, bytes_));
    const std::uint64_t asked = bytes_ + (2 + any(5, kLostPagesMax - 2)) * page_;
    // A page of its own, wholly behind what can be copied.
    const std::uint64_t store_at = ((begin_ + bytes_) / page_ + 1) * page_;
    const std::vector<std::byte> store = file_.make(kOtherBytes, store_at, page_ / 2);
    bool stored = false;
    const HeldOutcome outcome = hold(
        memory_,
        [&] {
          const ssize_t returned =
              retried([&] { return pwrite(file_.fd(), source.data(), asked, static_cast<off_t>(begin_)); });
          return returned < 0 ? -errno : returned;
        },
        [&] { stored = !at_end && Mapped(file_.fd(), store_at, store.size(), true).store(store) == store.size(); });
    WriteRef ref;
    ref.length_bytes = asked;
    ref.result = outcome.result;
    context_.meter.count(ref,
                         outcome.held() && (stored || at_end) && outcome.result < static_cast<std::int64_t>(asked));
    if (outcome.result < 0 && outcome.result != -EFAULT) {
      throw SystemError("write to " + file_.name(), static_cast<int>(-outcome.result));
    }
    const auto result = static_cast<std::uint64_t>(std::max<std::int64_t>(outcome.result, 0));
    if (result > bytes_) report_too_much(ref);
    file_.accept_held(begin_, std::min(result, bytes_));
    if (stored) std::ranges::copy(store, file_.image().begin() + static_cast<std::ptrdiff_t>(store_at));
  }

  // A result that counts bytes which nobody can have read.
  void report_too_much(const WriteRef& write) {
    Finding finding;
    finding.kind = FindingKind::kSizeMismatch;
    finding.file = file_.name();
    finding.offset_bytes = begin_ + bytes_;
    finding.length_bytes = static_cast<std::uint64_t>(write.result) - bytes_;
    finding.detail = fmt::format("a write at {} returned {}, and only {} bytes of its source can be read", begin_,
                                 write.result, bytes_);
    finding.write = write;
    finding.write->index = context_.meter.counters().writes;
    context_.findings.report(finding);
  }

  RunContext& context_;
  WithheldMemory& memory_;
  std::uint64_t page_;
  HeldFile file_;
  std::uint64_t number_ = 0, place_ = 0, begin_ = 0, bytes_ = 0;  // of the write
};

std::optional<Unsupported> run(RunContext& context) {
  const auto memory = open_withheld(context.workspace, kPagesMax * kPiecesOfPage * context.workspace.page_bytes());
  const std::uint64_t holds = context.settings.option("holds");
  for (std::uint64_t made = 0; context.limits.may_continue() && (holds == 0 || made < holds); made += kWritesPerFile) {
    SourceHolds(context, *memory).run(holds == 0 ? kWritesPerFile : holds - made);
  }
  context.exposure_hint = explain_missing_holds(*memory, "the writes ended without having come to the withheld page");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldSource;
const Profile kHeldSource{describe, run, false};

}  // namespace writecanary::probe
