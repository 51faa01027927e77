// far-offset: a sparse file with data about the places where a number gets too small: 2 GiB, 4 GiB, 8 TiB, 2^32 blocks.
//
// An offset that goes through 31 or 32 bits somewhere, in bytes or in blocks, comes out at another place of the same
// file. So what is written there differs from what stands where it would come out.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>
#include <vector>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/text/units.h"
#include "probe/access/mapped_access.h"
#include "probe/access/range_state.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/range_eviction.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kBlocks = 4096;  // of most filesystems, to count them
constexpr std::array<std::uint64_t, 5> kEdges = {0, 1ULL << 31, 1ULL << 32, 1ULL << 43, (1ULL << 32) * kBlocks};
constexpr std::uint64_t kPieceMax = 48UL << 10;  // on each side of an edge
constexpr std::uint64_t kAround = 8192;          // also looked at before and behind a piece
constexpr std::uint64_t kDirectUnit = 4096;
constexpr std::uint64_t kPatternShift = 1ULL << 30;  // so that no edge lies where the pattern begins again

enum class Way : std::uint8_t { kPlain, kDirect, kMapped };
constexpr std::array kWays = {Way::kPlain, Way::kDirect, Way::kMapped};

ProfileInfo describe() {
  return {
      .name = "far-offset",
      .title = "places beyond 2 GiB",
      .description =
          "Writes across 2 GiB, 4 GiB, 8 TiB and 2^32 blocks of a sparse file, plainly, directly and through a "
          "mapping; "
          "then a hole from 1 MiB to 8 TiB, and a truncation in the middle of what is left.",
      .role = "detector",
      .oracle =
          "Each piece, and some bytes before and behind it, are as they were written in the page cache and on storage; "
          "the rest are zeros; no hole is where data is, and the size is right.",
      .exposure = "A piece beyond 2 GiB was written and found right.",
      .needs_io_uring = false,
      .options = {{"files", "files to fill; 0: until another limit", "count", 0, 100'000, 12}},
      .references = {"open(2), O_LARGEFILE", "fallocate(2), FALLOC_FL_PUNCH_HOLE"},
  };
}

class FarFile {
 public:
  FarFile(RunContext& context, std::set<std::string>& refused)
      : context_(context),
        refused_(refused),
        identity_(context.next_file()),
        file_(context.workspace, identity_.name, 0) {
    try {
      direct_ = context.workspace.open(identity_.name, O_RDWR | O_DIRECT);
    } catch (const SystemError& error) {
      if (error.error_number() != EINVAL) throw;
    }
  }

  void run() {
    for (std::size_t edge = 0; edge < kEdges.size() && context_.limits.may_continue(); ++edge) write_across(edge);
    check();
    punch(1ULL << 20, kEdges[3] - (1ULL << 20));
    check();
    if (size_ > kEdges[3]) truncate(kEdges[3] + 100);
    check();
  }

 private:
  std::uint64_t random(std::uint64_t purpose) const { return derive_seed(identity_.seed, purpose); }

  // The first one begins at 0: it stands where the others would come out.
  void write_across(std::size_t edge) {
    Way way = kWays.at(random(edge) % kWays.size());
    if (way == Way::kDirect && !direct_) way = Way::kPlain;
    const std::uint64_t unit = way == Way::kDirect ? kDirectUnit : 1;
    const std::uint64_t before = edge == 0 ? 0 : (1 + random(10 + edge) % kPieceMax + unit - 1) / unit * unit;
    const std::uint64_t after = (1 + random(20 + edge) % kPieceMax + unit - 1) / unit * unit;
    const std::uint64_t begin = kEdges.at(edge) - before;
    AlignedBuffer<std::byte> memory(kDirectUnit, (before + after + kDirectUnit - 1) / kDirectUnit * kDirectUnit);
    const auto bytes = memory.span().first(before + after);
    Tag tag = identity_.tag;
    tag.writer = static_cast<std::uint8_t>(edge);
    Pattern(tag, identity_.incompressible).fill_bytes((begin + kPatternShift) % kStreamBytesMax, bytes);
    const std::uint64_t done = write(way, begin, bytes);
    if (done < bytes.size()) refused_.insert("places at " + format_size(kEdges.at(edge)));
    if (done == 0) return;
    pieces_[begin] = {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(done)};
    size_ = std::max(size_, begin + done);
  }

  // Returns how much of it is in the file. EFBIG is an answer: the filesystem has no such places.
  std::uint64_t write(Way way, std::uint64_t begin, std::span<const std::byte> bytes) {
    std::uint64_t done = 0;
    const Way first = way;
    const CoveredStates met = state_of(file_.fd(), {begin, bytes.size()}, size_);
    while (done < bytes.size()) {
      const auto rest = bytes.subspan(done);
      const std::int64_t result = write_once(way, begin + done, rest);
      if (result == -EFBIG) break;
      if (way != Way::kPlain && (result == 0 || result == -EINVAL)) {  // not mapped or not direct here
        way = Way::kPlain;
        continue;
      }
      WriteRef write;
      write.length_bytes = rest.size();
      write.stream_offset_bytes = begin + done;
      write.result = result;
      context_.meter.count(write, false);
      if (result <= 0) throw WriteFailed(file_.name(), begin + done, result == 0 ? EIO : static_cast<int>(-result));
      done += static_cast<std::uint64_t>(result);
      way = Way::kPlain;  // what a short one left out
    }
    const bool mapped = first == Way::kMapped;
    context_.meter.cover(mapped ? CoveredOperation::kMappedWrite : CoveredOperation::kWrite,
                         first == Way::kDirect ? CoveredWay::kDirect : CoveredWay::kPlain, met);
    return done;
  }

  std::int64_t write_once(Way way, std::uint64_t begin, std::span<const std::byte> bytes) {
    if (way == Way::kMapped) {
      if (ftruncate(file_.fd(), static_cast<off_t>(std::max(size_, begin + bytes.size()))) != 0) return -errno;
      return static_cast<std::int64_t>(Mapped(file_.fd(), begin, bytes.size(), true).store(bytes));
    }
    const int fd = way == Way::kDirect ? direct_.get() : file_.fd();
    const ssize_t result = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(begin));
    return result < 0 ? -errno : result;
  }

  void punch(std::uint64_t begin, std::uint64_t end) {
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (fallocate(file_.fd(), mode, static_cast<off_t>(begin), static_cast<off_t>(end - begin)) != 0) {
      if (errno != EOPNOTSUPP && errno != EFBIG) throw_errno("punch a hole into " + file_.name());
      refused_.insert("holes");
      return;
    }
    cut(begin, end);
  }

  void truncate(std::uint64_t size) {
    if (ftruncate(file_.fd(), static_cast<off_t>(size)) != 0) throw_errno("truncate " + file_.name());
    cut(size, UINT64_MAX);
    size_ = size;
  }

  // What lies in there is zeros now.
  void cut(std::uint64_t begin, std::uint64_t end) {
    for (auto& [offset, bytes] : pieces_) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (offset + i >= begin && offset + i < end) bytes[i] = std::byte{0};
      }
    }
  }

  std::vector<std::byte> expected(const FileRange& range) const {
    std::vector<std::byte> all(range.length);
    for (const auto& [offset, bytes] : pieces_) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint64_t place = offset + i;
        if (place >= range.offset && place < range.offset + range.length) all[place - range.offset] = bytes[i];
      }
    }
    return all;
  }

  void check() {
    Comparison size(file_.name(), identity_.tag.run, identity_.incompressible, context_.findings.wanted());
    size.add_size(file_.size_bytes(), size_);
    context_.findings.report(size.report());
    for (const auto& [offset, bytes] : pieces_) {
      const std::uint64_t begin = offset - std::min(offset, kAround);
      const std::uint64_t end = std::min(offset + bytes.size() + kAround, size_);
      if (begin >= end) continue;
      const FileRange window{begin, end - begin};
      bool right = compare(window, "");
      const std::uint64_t page = context_.workspace.page_bytes();
      const std::uint64_t first = begin / page * page;
      const std::uint64_t whole = (end + page - 1) / page * page - first;
      if (evict_range(file_.fd(), file_.name(), first, whole)) right = compare(window, "read from storage") && right;
      if (right && offset >= kEdges[1] / 2) context_.meter.expose(1);
    }
  }

  bool compare(const FileRange& window, const std::string& how) {
    std::vector<std::byte> found(window.length);
    context_.meter.cover(CoveredOperation::kRead, CoveredWay::kPlain, state_of(file_.fd(), window, size_));
    found.resize(read_at(file_.fd(), file_.name(), window.offset, found));
    const std::vector<std::byte> right = expected({window.offset, found.size()});
    Comparison comparison(file_.name(), identity_.tag.run, identity_.incompressible, context_.findings.wanted());
    comparison.add(window.offset, found, right);
    FileReport report = comparison.report();
    for (Finding& finding : report.findings) {
      if (!how.empty()) finding.detail += "; " + how;
    }
    context_.findings.report(report);
    return report.tally.total() == 0;
  }

  RunContext& context_;
  std::set<std::string>& refused_;
  FileIdentity identity_;
  RunFile file_;
  Fd direct_;
  std::map<std::uint64_t, std::vector<std::byte>> pieces_;  // by their begin
  std::uint64_t size_ = 0;
};

std::optional<Unsupported> run(RunContext& context) {
  std::set<std::string> refused;
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made) {
    FarFile(context, refused).run();
  }
  if (!refused.empty()) context.note = fmt::format("without {}, refused here", fmt::join(refused, ", "));
  context.exposure_hint = refused.empty() ? "too few pieces were written" : context.note;
  return std::nullopt;
}

}  // namespace

extern const Profile kFarOffset;
const Profile kFarOffset{describe, run, false, false};

}  // namespace writecanary::probe
