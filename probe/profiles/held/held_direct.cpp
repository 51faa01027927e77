// held-direct: a direct write is held open while readers bring the old pages of its range into the page cache.
//
// A direct write passes the page cache by, so it must drop what is cached of its range: before it writes, and after it
// once more, since a reader may have brought old pages in between. That between is held open here. A mapping that was
// loaded from meanwhile must show the new bytes as well, and a store to the page behind the range must survive.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_io.h"
#include "probe/access/mapped_access.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/profiles/held/witness.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kWritesPerFile = 12;

ProfileInfo describe() {
  return {
      .name = "held-direct",
      .title = "readers beside a direct write that is held open",
      .description =
          "An O_DIRECT write over old bytes is held open at a page of its source (userfaultfd) before it reaches "
          "storage. "
          "Beside it its range is read into the page cache, through a mapping or with pread(2), and the page behind it "
          "is "
          "stored to.",
      .role = "detector",
      .oracle =
          "When the write has ended, pread(2), the mapping and storage have the new bytes, and the store is there.",
      .exposure =
          "Pages of the range were in the page cache (mincore) while the write was held, on a filesystem that passes "
          "the page cache by.",
      .needs_io_uring = false,
      .options = {{"units_max", "largest write, in pages or in what direct I/O is aligned to", "count", 2, 512, 24},
                  {"holds", "writes to hold; 0: until another limit", "count", 0, 1'000'000, 45}},
      .references = {"open(2), O_DIRECT",
                     "https://git.kernel.org/linus/a2de733c78fa (iomap_dio_rw, invalidation before and after, 4.10)"},
  };
}

class DirectHolds {
 public:
  DirectHolds(RunContext& context, WithheldMemory& memory, std::uint64_t unit, bool meaningful)
      : context_(context),
        page_(context.workspace.page_bytes()),
        unit_(unit),
        units_max_(context.settings.option("units_max")),
        meaningful_(meaningful),
        file_(context, memory),
        direct_(file_.open(O_WRONLY | O_DIRECT)) {}

  void run(std::uint64_t holds) {
    for (; number_ < std::min(holds, kWritesPerFile) && context_.limits.may_continue(); ++number_) write_held();
    file_.judge();
  }

 private:
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const {
    return derive_seed(file_.seed(), number_ * 4 + what) % below;
  }

  void write_held() {
    const std::uint64_t place = file_.image().size(), room = (units_max_ + 6) * unit_;
    const std::uint64_t begin = place + (1 + any(0, 3)) * unit_, bytes = (2 + any(1, units_max_ - 1)) * unit_;
    const std::uint64_t behind = begin + bytes;
    file_.write(kOldBytes, place, room);
    evict_range(file_.fd(), file_.name(), place, room);
    std::vector<std::byte> right = file_.with_held(file_.image(), begin, bytes);
    const std::vector<std::byte> stored = file_.make(kOtherBytes, behind, page_ / 2);
    Witness witness(file_, right);
    const Mapped mapping(file_.fd(), begin, bytes), after(file_.fd(), behind, page_, true);
    std::vector<std::byte> seen(bytes);
    std::uint64_t resident = 0;
    std::optional<Contender> reader;
    file_.write_held(
        {.fd = direct_.get(), .offset = begin, .bytes = bytes, .withheld = any(2, bytes)},
        [&] {
          bring_in(mapping, begin, seen, reader);
          resident = resident_pages(file_.fd(), begin, bytes);
          if (number_ % 3 != 0 || after.store(stored) != stored.size()) return;
          std::ranges::copy(stored, right.begin() + static_cast<std::ptrdiff_t>(behind));
        },
        [&] { return meaningful_ && resident > 0; });
    if (reader && reader->result() < 0) throw SystemError("read " + file_.name(), static_cast<int>(-reader->result()));
    seen.resize(mapping.load(seen));
    witness.see(begin, seen, "as a mapping of before the write showed it afterwards");
    seen.resize(bytes);
    seen.resize(static_cast<std::size_t>(std::max<std::int64_t>(read(begin, seen), 0)));
    witness.see(begin, seen, "as pread(2) read it afterwards");
    file_.image() = std::move(right);
    witness.report(context_.findings);
  }

  // Old pages, through the mapping or with a read; what they hold meanwhile may be old or new.
  void bring_in(const Mapped& mapping, std::uint64_t begin, std::vector<std::byte>& seen,
                std::optional<Contender>& reader) const {
    if (number_ % 2 == 0) {
      mapping.load(seen);
    } else {
      reader.emplace([this, begin, &seen] { return read(begin, seen); });
      reader->ends_within(kHoldLimit / 4);  // where it waits for the write, it brings nothing in
    }
  }

  std::int64_t read(std::uint64_t begin, std::span<std::byte> out) const {
    const ssize_t returned =
        retried([&] { return pread(file_.fd(), out.data(), out.size(), static_cast<off_t>(begin)); });
    return returned < 0 ? -errno : returned;
  }

  RunContext& context_;
  std::uint64_t page_, unit_, units_max_;
  bool meaningful_;
  HeldFile file_;
  Fd direct_;
  std::uint64_t number_ = 0;  // of the write in this file
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  const auto direct_io = try_direct_io(context.workspace, refused);
  if (!direct_io) return refused;
  const bool meaningful = direct_io->passes_cache_by;
  const std::uint64_t unit = std::max(direct_io->alignment, context.workspace.page_bytes());
  const auto memory = open_withheld(context.workspace, context.settings.option("units_max") * unit);
  const std::uint64_t holds = context.settings.option("holds");
  for (std::uint64_t made = 0; context.limits.may_continue() && (holds == 0 || made < holds); made += kWritesPerFile) {
    DirectHolds(context, *memory, unit, meaningful).run(holds == 0 ? kWritesPerFile : holds - made);
  }
  const std::string& type = context.workspace.filesystem().type;
  context.exposure_hint = explain_missing_holds(
      *memory, meaningful ? "no reader could bring pages into the page cache while a write was held"
                          : type + " takes O_DIRECT and writes to the page cache all the same");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldDirect;
const Profile kHeldDirect{describe, run, false};

}  // namespace writecanary::probe
