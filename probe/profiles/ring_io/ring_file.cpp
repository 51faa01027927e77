#include "probe/profiles/ring_io/ring_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.h"
#include "probe/access/range_state.h"
#include "probe/pattern/pattern.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kAppending = 1;
constexpr int kNoMemoryMax = 100;  // tries of a write for which there was none

std::size_t descriptor_of(const RingCase& one) { return one.place == RingPlace::kEnd ? kAppending : 0; }

const char* name_of(RingFlag flag) { return flag == RingFlag::kDsync ? "RWF_DSYNC" : "RWF_DONTCACHE"; }

// A flag that this kernel or filesystem does not have.
bool is_refusal(const RingCase& one, std::int64_t result) {
  return one.flag != RingFlag::kNone && (result == -EOPNOTSUPP || result == -EINVAL);
}

CoveredWay way_of(const RingCase& one, bool direct) {
  if (direct) return CoveredWay::kRingDirect;
  return one.flag == RingFlag::kDsync ? CoveredWay::kSynced : CoveredWay::kRing;
}

}  // namespace

RingFile::RingFile(RunContext& context, RingRequests& requests, int flags, bool positions)
    : context_(context),
      requests_(requests),
      positions_count_(positions),
      identity_(context.next_file()),
      file_(context.workspace, identity_.name, 0),
      requested_{context.workspace.open(identity_.name, O_RDWR | flags),
                 context.workspace.open(identity_.name, O_RDWR | O_APPEND | flags)} {
  const std::array descriptors = {requested_[0].get(), requested_[kAppending].get()};
  requests.register_files(descriptors);
}

RingTarget RingFile::target(const RingCase& one) const {
  const std::size_t at = descriptor_of(one);
  return {requested_.at(at).get(), static_cast<unsigned>(at)};
}

std::int64_t RingFile::aim(const RingCase& one, std::uint64_t wanted) {
  if (one.place == RingPlace::kEnd) return -1;
  if (one.place == RingPlace::kAppendFlag) return 0;
  if (one.place == RingPlace::kExplicit) return static_cast<std::int64_t>(wanted);
  if ((!positions_count_ || positions_[0] != wanted) &&
      lseek(requested_[0].get(), static_cast<off_t>(wanted), SEEK_SET) < 0) {
    throw_errno("seek in " + name());
  }
  positions_[0] = wanted;
  return -1;
}

void RingFile::make(std::uint8_t generation, std::uint64_t offset, std::span<std::byte> out) const {
  Tag tag = identity_.tag;
  tag.writer = generation;
  Pattern(tag, identity_.incompressible).fill_bytes(offset, out);
}

void RingFile::acknowledge(std::uint64_t offset, std::span<const std::byte> bytes) {
  image_.resize(std::max<std::size_t>(image_.size(), offset + bytes.size()));
  std::ranges::copy(bytes, image_.begin() + static_cast<std::ptrdiff_t>(offset));
}

bool RingFile::is_right_from(std::uint64_t offset) const {
  if (!has_right_size()) return false;
  std::vector<std::byte> found(image_.size() - offset);
  found.resize(read_at(fd(), name(), offset, found));
  return std::ranges::equal(found, std::span<const std::byte>(image_).subspan(offset));
}

void RingFile::check_position(const RingCase& one, bool writes, std::uint64_t offset, std::int64_t result) {
  if (!positions_count_) return;
  const std::size_t at = descriptor_of(one);
  if (result > 0 && (one.place == RingPlace::kPosition || one.place == RingPlace::kEnd)) {
    positions_.at(at) = offset + static_cast<std::uint64_t>(result);
  }
  const std::uint64_t right = positions_.at(at);
  const off_t position = lseek(requested_.at(at).get(), 0, SEEK_CUR);
  if (position < 0) throw_errno("seek in " + name());
  const auto found = static_cast<std::uint64_t>(position);
  if (found == right) return;
  Finding finding;
  finding.kind = FindingKind::kMisplaced;
  finding.file = name();
  finding.offset_bytes = std::min(found, right);
  finding.length_bytes = std::max(found, right) - finding.offset_bytes;
  finding.detail = fmt::format("the file position is {} and not {} after {} of {} bytes from {} on", found, right,
                               to_string(one, writes), result, offset);
  context_.findings.report(finding);
  if (lseek(requested_.at(at).get(), static_cast<off_t>(right), SEEK_SET) < 0) throw_errno("seek in " + name());
}

void RingFile::compare_read(const std::string& how, std::uint64_t offset, std::span<const std::byte> found) {
  const std::span<const std::byte> image(image_);
  const std::size_t inside = offset < image.size() ? std::min<std::size_t>(found.size(), image.size() - offset) : 0;
  Comparison comparison(name(), identity_.tag.run, identity_.incompressible, context_.findings.wanted());
  if (inside != 0) comparison.add(offset, found.first(inside), image.subspan(offset, inside));
  comparison.add_behind_end(offset + inside, found.size() - inside);
  context_.meter.count_verified(found.size());
  for (Finding finding : comparison.report().findings) {
    finding.detail += "; returned by " + how;
    seen_.push_back(std::move(finding));
  }
}

ContentView RingFile::view() const {
  return {.fd = fd(),
          .name = name(),
          .size_bytes = image_.size(),
          .expected = bytes_of(image_),
          .run_tag = identity_.tag.run,
          .incompressible = identity_.incompressible};
}

void RingFile::judge() {
  if (!seen_.empty()) context_.findings.report(keep_transient(view(), seen_, context_.findings.wanted()));
  seen_.clear();
  judge_content(context_.findings, view());
}

void RingFile::judge_without(std::uint64_t offset, std::uint64_t bytes) {
  image_.resize(std::max<std::uint64_t>(image_.size(), std::min(file_.size_bytes(), offset + bytes)));
  if (offset < image_.size()) {
    const std::uint64_t there = std::min<std::uint64_t>(bytes, image_.size() - offset);
    take_over(fd(), name(), offset, std::span(image_).subspan(offset, there));
  }
  judge();
}

void append_by_case(RunContext& context, RingRequests& requests, RingFile& file, RingCase one,
                    std::span<std::byte> bytes, std::uint64_t alignment, const RingExposure& exposed,
                    const std::function<void()>& between) {
  if (one.flag != RingFlag::kNone && requests.refused().contains(name_of(one.flag))) one.flag = RingFlag::kNone;
  for (int without_memory = 0; !bytes.empty();) {
    const std::uint64_t offset = file.size_bytes();
    const std::int64_t where = file.aim(one, offset);
    const CoveredStates met = state_of(file.fd(), {offset, bytes.size()}, offset);
    WriteRef write = requests.write(one, file.target(one), bytes, where, alignment, between);
    write.stream_offset_bytes = offset;
    write.at_us = context.meter.elapsed_us();
    if (is_refusal(one, write.result)) {
      requests.refused().insert(name_of(std::exchange(one.flag, RingFlag::kNone)));
      continue;
    }
    context.meter.count(write, write.result > 0 && exposed(write));
    const bool appends = one.place == RingPlace::kEnd || one.place == RingPlace::kAppendFlag;
    context.meter.cover(appends ? CoveredOperation::kAppend : CoveredOperation::kWrite, way_of(one, alignment > 1),
                        met);
    if (write.result == -EINTR) continue;
    if (write.result == -ENOMEM && ++without_memory < kNoMemoryMax) continue;
    if (write.result <= 0) {
      file.judge_without(offset, bytes.size());
      throw WriteFailed(file.name(), offset, write.result == 0 ? EIO : static_cast<int>(-write.result));
    }
    const auto done = static_cast<std::size_t>(write.result);
    file.acknowledge(offset, std::span<const std::byte>(bytes).first(done));
    file.check_position(one, true, offset, write.result);
    if (!file.has_right_size()) return;  // the comparison says it
    bytes = bytes.subspan(done);
    if (alignment > 1 && done % alignment != 0) return;  // what follows could not be direct
  }
}

}  // namespace writecanary::probe
