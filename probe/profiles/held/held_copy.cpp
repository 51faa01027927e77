// held-copy: a write that makes a file longer is held open in its middle, and the file is copied beside it.
//
// A copy of a file that is being written may be of before, of after, or of something in between. But what fstat(2)
// counted when the copy began must be in it, be it in the page cache alone, over a hole or over preallocated blocks.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
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

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kOldPages = 6, kHeldPages = 8;

ProfileInfo describe() {
  return {
      .name = "held-copy",
      .title = "copies beside a write that is held open",
      .description =
          "A write across the end of a file, into a hole or preallocated blocks, is held open at a page of its source "
          "(userfaultfd) when its first part is in the file. Beside it the file is copied: where SEEK_DATA finds data, "
          "through a mapping; with copy_file_range(2); with FICLONE.",
      .role = "detector",
      .oracle =
          "The copy has all of the write that the size counted when it began; every other byte of it is of the write "
          "or of before. The file is right when the write has ended.",
      .exposure = "The copy began while the write was held open after its first part.",
      .needs_io_uring = false,
      .options = {{"holds", "writes to hold; 0: until another limit", "count", 0, 1'000'000, 45}},
      .references = {"https://github.com/openzfs/zfs/issues/15526 (a copy of a file has holes)", "lseek(2), SEEK_DATA",
                     "copy_file_range(2)"},
  };
}

// Each returns 0 or a negative errno.
using CopyCall = std::int64_t (*)(int from, int to);

std::int64_t copy_where_data_is(int from, int to) {
  off_t data = 0;
  while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
    const off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) return -errno;
    // A mapping, since on XFS a read waits for the write.
    std::vector<std::byte> found(static_cast<std::size_t>(hole - data));
    found.resize(Mapped(from, static_cast<std::uint64_t>(data), found.size()).load(found));
    if (pwrite(to, found.data(), found.size(), data) != static_cast<ssize_t>(found.size())) return -errno;
    data = hole;
  }
  return errno == ENXIO ? 0 : -errno;
}

std::int64_t copy_in_kernel(int from, int to) {
  constexpr std::size_t kPieceBytes = 16UL << 20;
  off_t read_at = 0, write_at = 0;
  for (;;) {
    const ssize_t copied = retried([&] { return copy_file_range(from, &read_at, to, &write_at, kPieceBytes, 0); });
    if (copied <= 0) return copied < 0 ? -errno : 0;
  }
}

std::int64_t clone(int from, int to) { return ioctl(to, FICLONE, from) == 0 ? 0 : -errno; }

struct Method {
  const char* name;
  CopyCall copy;
};
constexpr std::array<Method, 3> kMethods = {
    {{"SEEK_DATA", copy_where_data_is}, {"copy_file_range", copy_in_kernel}, {"FICLONE", clone}}};

bool refuses(std::int64_t result) {
  constexpr std::array kRefusals = {-EOPNOTSUPP, -ENOSYS, -EINVAL, -ENOTTY, -EXDEV};
  return std::ranges::find(kRefusals, result) != kRefusals.end();
}

class CopyHold {
 public:
  CopyHold(RunContext& context, WithheldMemory& memory, std::uint64_t chunk)
      : context_(context),
        page_(context.workspace.page_bytes()),
        chunk_(chunk),
        file_(context, memory),
        copy_(context.workspace, file_.name() + "-copy", 0) {}

  // The negative errno with which such copies are refused here, or 0.
  std::int64_t run(const Method& method) {
    fill();
    const std::uint64_t begin = chunk_ - 1 - any(1, kOldPages * page_ - 1);
    const std::uint64_t bytes = chunk_ - begin + 2 * page_ + any(2, (kHeldPages - 2) * page_);
    const std::vector<std::byte> before = file_.image();
    std::vector<std::byte> after = file_.with_held(before, begin, bytes);
    std::uint64_t size = 0;
    std::optional<Contender> copier;
    file_.write_held(
        {.fd = file_.fd(), .offset = begin, .bytes = bytes, .withheld = chunk_ - begin + page_},
        [&] {
          size = file_.size_bytes();
          copier.emplace([&] { return method.copy(reading_.get(), copy_.fd()); });
        },
        [&] { return size > before.size(); });
    const std::int64_t result = copier->result();
    file_.image() = after;
    if (refuses(result)) return result;
    if (result < 0)
      throw SystemError(fmt::format("copy {} ({})", file_.name(), method.name), static_cast<int>(-result));
    judge_copy(before, after, size);
    file_.judge_mostly_hot();
    return 0;
  }

 private:
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const { return derive_seed(file_.seed(), what) % below; }

  // Old bytes up to where the write will begin or beyond, the end of the file a few pages before the end of a chunk.
  void fill() {
    const std::uint64_t begin = chunk_ - kOldPages * page_;
    file_.resize(begin);
    if (any(3, 2) == 0)
      fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin), static_cast<off_t>(2 * chunk_));
    file_.write(kOldBytes, begin, 1 + any(4, (kOldPages - 2) * page_));
    if (any(5, 2) == 0 && retried([&] { return fdatasync(file_.fd()); }) != 0) throw_errno("fdatasync " + file_.name());
    reading_ = file_.open(O_RDONLY);
  }

  // Below the size that was seen the write must be in the copy. Behind it, a byte may be of the write or of before.
  void judge_copy(const std::vector<std::byte>& before, const std::vector<std::byte>& after, std::uint64_t size) {
    const std::uint64_t seen = std::max<std::uint64_t>(size, before.size());
    std::vector<std::byte> right = after;
    right.resize(std::clamp<std::uint64_t>(copy_.size_bytes(), seen, after.size()));
    std::vector<std::byte> found(right.size());
    if (retried([&] { return pread(copy_.fd(), found.data(), found.size(), 0); }) < 0)
      throw_errno("read " + copy_.name());
    const std::uint64_t open = size > before.size() ? size : 0;
    for (std::uint64_t at = open; at < right.size(); ++at) {
      if (found[at] == (at < before.size() ? before[at] : std::byte{0})) right[at] = found[at];
    }
    ContentView view = file_.view(right);
    view.fd = copy_.fd();
    view.name = copy_.name();
    judge_content(context_.findings, view);
  }

  RunContext& context_;
  std::uint64_t page_, chunk_;
  HeldFile file_;
  RunFile copy_;
  Fd reading_;
};

std::optional<Unsupported> run(RunContext& context) {
  const auto memory = open_withheld(context.workspace, (kOldPages + kHeldPages + 1) * context.workspace.page_bytes());
  const auto chunk = chunk_bytes(context, *memory);
  const std::uint64_t holds = context.settings.option("holds");
  std::vector<Method> methods(kMethods.begin(), kMethods.end());
  for (std::uint64_t made = 0; context.limits.may_continue() && (holds == 0 || made < holds); ++made) {
    const auto method = methods.begin() + static_cast<std::ptrdiff_t>(made % methods.size());
    const std::int64_t refused = CopyHold(context, *memory, chunk.value_or(kChunkBytesMax)).run(*method);
    if (refused == 0) continue;
    if (!context.note.empty()) context.note += ", ";
    context.note +=
        fmt::format("without {}, which is refused here: {}", method->name, error_text(static_cast<int>(-refused)));
    methods.erase(method);
    if (methods.empty()) return Unsupported{context.note};
  }
  context.exposure_hint = explain_missing_holds(*memory, "no part of a write could be seen before all of it was there");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldCopy;
const Profile kHeldCopy{describe, run, false};

}  // namespace writecanary::probe
