// held-resize: an overwrite is held open in its middle, and the file is cut, stretched, punched or shifted beside it.
//
// All of these change what the write is just about to write to: blocks are freed, zeroed or moved, pages dropped. They
// must wait for the write or go before it. Either order is right, and nothing else: a part of the write on freed
// blocks, bytes from before the hole, or a size that fits to neither.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kBlocks = 12;     // of old bytes on either side of the end of a chunk
constexpr std::uint64_t kHeldBlocks = 8;  // of them, on either side, that the held write may reach

ProfileInfo describe() {
  return {
      .name = "held-resize",
      .title = "truncation and holes beside a write that is held open",
      .description =
          "An overwrite is held open at a page of its source (userfaultfd). Beside it the file is truncated within the "
          "written range or made longer, or a part of the range is punched out, zeroed, removed or pushed back "
          "(fallocate(2)), in turn.",
      .role = "detector",
      .oracle = "When both have ended the file is what one after the other makes of it, in one of the two orders.",
      .exposure = "The other call was made while the write was held open, and waited.",
      .needs_io_uring = false,
      .options = {{"holds", "writes to hold; 0: until another limit", "count", 0, 1'000'000, 48}},
      .references =
          {"https://git.kernel.org/linus/730633f0b7f9 (mm: protect operations adding pages to page cache with "
           "invalidate_lock, 5.15)",
           "Documentation/filesystems/locking.rst"},
  };
}

struct Range {
  std::uint64_t begin = 0, end = 0;
};

// What a call does to a file, and what it makes of an image. Ranges are whole blocks where the call wants that.
struct Change {
  const char* name;
  bool whole_blocks;
  std::int64_t (*call)(int fd, Range range);
  void (*apply)(std::vector<std::byte>& image, Range range);
};

std::int64_t truncate_to(int fd, std::uint64_t size) {
  return retried([&] { return ftruncate(fd, static_cast<off_t>(size)); }) == 0 ? 0 : -errno;
}

template <int kMode>
std::int64_t allocate(int fd, Range range) {
  const auto begin = static_cast<off_t>(range.begin), length = static_cast<off_t>(range.end - range.begin);
  return retried([&] { return fallocate(fd, kMode, begin, length); }) == 0 ? 0 : -errno;
}

void zero(std::vector<std::byte>& image, Range range) {
  const std::uint64_t end = std::min<std::uint64_t>(range.end, image.size());
  for (std::uint64_t at = range.begin; at < end; ++at) image[at] = std::byte{0};
}

auto place(std::vector<std::byte>& image, std::uint64_t offset) {
  return image.begin() + static_cast<std::ptrdiff_t>(offset);
}

constexpr std::array<Change, 7> kChanges = {{
    {"ftruncate to a smaller size", false, [](int fd, Range range) { return truncate_to(fd, range.begin); },
     [](auto& image, Range range) { image.resize(range.begin); }},
    {"ftruncate to a larger size", false, [](int fd, Range range) { return truncate_to(fd, range.end + (1 << 20)); },
     [](auto& image, Range range) { image.resize(range.end + (1 << 20)); }},
    {"PUNCH_HOLE", false, allocate<FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE>, zero},
    {"ZERO_RANGE", false, allocate<FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE>, zero},
    {"COLLAPSE_RANGE", true, allocate<FALLOC_FL_COLLAPSE_RANGE>,
     [](auto& image, Range range) { image.erase(place(image, range.begin), place(image, range.end)); }},
    {"INSERT_RANGE", true, allocate<FALLOC_FL_INSERT_RANGE>,
     [](auto& image, Range range) { image.insert(place(image, range.begin), range.end - range.begin, std::byte{0}); }},
    {"fallocate", false, allocate<0>,
     [](auto& image, Range range) { image.resize(std::max<std::uint64_t>(image.size(), range.end)); }},
}};

bool refuses(std::int64_t result) {
  constexpr std::array kRefusals = {-EOPNOTSUPP, -ENOSYS, -EINVAL, -EPERM};
  return std::ranges::find(kRefusals, result) != kRefusals.end();
}

class ResizeHold {
 public:
  // Collapsing and inserting work in whole blocks.
  ResizeHold(RunContext& context, WithheldMemory& memory, std::uint64_t block, std::uint64_t chunk)
      : page_(context.workspace.page_bytes()),
        block_(block),
        middle_((kBlocks * block_ / chunk + 1) * chunk),
        file_(context, memory) {}

  // The negative errno with which the change is refused here, or 0.
  std::int64_t run(const Change& change) {
    fill();
    // From within the old bytes before the end of a chunk to within those behind it; nothing in it is aligned.
    const std::uint64_t begin = middle_ - 1 - any(0, kHeldBlocks * block_ - 1);
    const std::uint64_t end = middle_ + 2 * page_ + any(1, kHeldBlocks * block_ - 2 * page_);
    const Range range = choose(change, begin, end);
    std::vector<std::byte> before = file_.image(), after = file_.with_held(file_.image(), begin, end - begin);
    change.apply(before, range);
    before = file_.with_held(before, begin, end - begin);
    change.apply(after, range);
    std::optional<Contender> contender;
    file_.write_held(
        {.fd = file_.fd(), .offset = begin, .bytes = end - begin, .withheld = middle_ - begin + page_},
        [&] { contender.emplace([this, &change, range] { return change.call(file_.fd(), range); }); },
        [&] { return !contender->ended_at_once(); });
    const std::int64_t result = contender->result();
    if (refuses(result)) return result;
    if (result < 0) throw SystemError(std::string(change.name) + " of " + file_.name(), static_cast<int>(-result));
    std::vector<Legal> legal{{std::string(change.name) + " after the write", std::move(after)},
                             {std::string(change.name) + " before the write", std::move(before)}};
    // Who did not wait may have changed what was written, and not what was still to be written. Nobody promises
    // otherwise.
    if (contender->ended_at_once()) legal.push_back(mixture(legal[0], legal[1]));
    file_.settle(std::move(legal));
    file_.judge_mostly_hot();
    // What was cut off must not come back.
    file_.resize(file_.image().size() + kBlocks * block_);
    file_.judge();
    return 0;
  }

 private:
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const { return derive_seed(file_.seed(), what) % below; }

  // Old bytes around the end of a chunk, in every second file on storage already.
  void fill() {
    const std::uint64_t reach = kBlocks * block_;
    file_.resize(middle_ - reach);
    file_.write(kOldBytes, middle_ - reach, 2 * reach);
    if (any(3, 2) == 0 && retried([&] { return fdatasync(file_.fd()); }) != 0) throw_errno("fdatasync " + file_.name());
  }

  Range choose(const Change& change, std::uint64_t begin, std::uint64_t end) const {
    Range range{begin + any(4, end - begin), 0};
    range.end = range.begin + 1 + any(5, 4 * block_);
    if (!change.whole_blocks) return range;
    range.begin = range.begin / block_ * block_;
    range.end = range.begin + (1 + any(6, 2)) * block_;
    return range;
  }

  // Page by page what stands there, if one of the two has it so.
  Legal mixture(const Legal& one, const Legal& other) {
    Legal mixed = {"both at the same time", one.image};
    const std::uint64_t size = file_.size_bytes();
    if (size == other.image.size()) mixed.image = other.image;
    std::vector<std::byte> found(page_);
    for (std::uint64_t at = 0; at < mixed.image.size(); at += page_) {
      const ssize_t got =
          retried([&] { return pread(file_.fd(), found.data(), found.size(), static_cast<off_t>(at)); });
      if (got < 0) throw_errno("read " + file_.name());
      const auto there = std::span(found).first(static_cast<std::size_t>(got));
      for (const Legal* candidate : {&one, &other}) {
        if (at + there.size() > candidate->image.size()) continue;
        if (std::ranges::equal(there, std::span(candidate->image).subspan(at, there.size()))) {
          std::ranges::copy(there, place(mixed.image, at));
        }
      }
    }
    return mixed;
  }

  std::uint64_t page_, block_;
  std::uint64_t middle_;  // of the old bytes: the end of a chunk
  HeldFile file_;
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t block = context.workspace.block_bytes();
  const auto memory = open_withheld(context.workspace, 2 * kHeldBlocks * block);
  const std::uint64_t chunk = chunk_bytes(context, *memory).value_or(kChunkBytesMax);
  const std::uint64_t holds = context.settings.option("holds");
  std::vector<Change> changes(kChanges.begin(), kChanges.end());
  for (std::uint64_t made = 0; context.limits.may_continue() && (holds == 0 || made < holds); ++made) {
    const auto change = changes.begin() + static_cast<std::ptrdiff_t>(made % changes.size());
    const std::int64_t refused = ResizeHold(context, *memory, block, chunk).run(*change);
    if (refused == 0) continue;
    if (!context.note.empty()) context.note += ", ";
    context.note +=
        fmt::format("without {}, which is refused here: {}", change->name, error_text(static_cast<int>(-refused)));
    changes.erase(change);
  }
  context.exposure_hint = explain_missing_holds(*memory, "nothing waited for a write that was held open");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldResize;
const Profile kHeldResize{describe, run, false};

}  // namespace writecanary::probe
