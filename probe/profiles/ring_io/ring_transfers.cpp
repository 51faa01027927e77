// The parts that are one request each: trapped and direct writes, reads of what is partly in the page cache.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "probe/access/extents.h"
#include "probe/access/range_state.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/ring_io/ring_parts.h"
#include "probe/verify/cold/eviction.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::byte kPoison{0xee};
constexpr std::uint64_t kReadPagesMax = 40;
constexpr std::uint64_t kAcrossEndEvery = 4;
constexpr std::uint64_t kBehindEndBytes = 5000;
constexpr std::uint64_t kDirectBlocks = 4;  // preallocated ones at most, and as many that are not

// Brings the first part of a range into the page cache and nothing else. Whether it did, is asked of mincore.
bool warm_first_part(const RingFile& file, std::uint64_t offset, std::uint64_t bytes, std::uint64_t first) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  posix_fadvise(file.fd(), 0, 0, POSIX_FADV_RANDOM);  // no more than what is asked for
  std::vector<std::byte> scratch(first);
  read_at(file.fd(), file.name(), offset, scratch);
  posix_fadvise(file.fd(), 0, 0, POSIX_FADV_NORMAL);
  const std::uint64_t last_page = (offset + bytes - 1) / page * page;
  return resident_pages(file.fd(), offset, 1) == 1 && resident_pages(file.fd(), last_page, 1) == 0;
}

}  // namespace

bool write_trapped(const RingRound& round, const RingCase& one, std::uint64_t bytes, bool exposes) {
  const auto memory = round.requests.memory(one, bytes, 1);
  const std::uint64_t begin = round.file.size_bytes();
  round.file.make(0, begin, memory);
  append_by_case(round.context, round.requests, round.file, one, memory, 1,
                 [&](const WriteRef& write) { return exposes && write.route == Route::kPunted && !write.disarmed; });
  return round.file.is_right_from(begin);
}

bool read_partly_cached(const RingRound& round, const RingCase& one) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t size = round.file.size_bytes();
  const auto random = [&](std::uint64_t purpose) { return derive_seed(round.seed, purpose); };
  const std::uint64_t bytes = std::min(size, 4 * page + random(0) % (kReadPagesMax * page));
  const bool across_end = random(1) % kAcrossEndEvery == 0;
  const std::uint64_t offset = across_end ? size - bytes : random(2) % (size - bytes + 1);
  if (!evict(round.file.fd(), round.file.name()).none()) return false;
  const bool partly = warm_first_part(round.file, offset, bytes, 1 + random(3) % (bytes / 2));

  const std::uint64_t asked = bytes + (across_end ? kBehindEndBytes : 0);
  const auto memory = round.requests.memory(one, asked, 1);
  std::ranges::fill(memory, kPoison);
  Ring& ring = round.requests.ring(one.setup);
  std::uint64_t done = 0;
  // Continued until nothing more comes, as by a program that does not know the size.
  for (bool first = true; done < asked; first = false) {
    const std::uint64_t place = offset + done;
    std::vector<iovec> vector;
    const std::int64_t where = round.file.aim(one, place);
    if (first) {
      round.context.meter.cover(CoveredOperation::kRead, CoveredWay::kRing,
                                state_of(round.file.fd(), {offset, asked}, size));
    }
    round.requests.prepare(*ring.next_sqe(), one, false, round.file.target(one), memory.subspan(done), where, vector,
                           1);
    ring.submit();
    const auto early = ring.peek();
    const std::int64_t result = (early ? *early : ring.wait()).result;
    if (result == -EINTR) continue;
    if (result < 0) throw SystemError("read " + round.file.name() + " through io_uring", static_cast<int>(-result));
    if (first && partly && !early) round.context.meter.expose(1);
    round.file.check_position(one, false, place, result);
    if (result == 0) break;
    done += static_cast<std::uint64_t>(result);
  }
  const std::string how = to_string(one, false) + " with its first pages in the page cache";
  round.file.compare_read(how, offset, std::span<const std::byte>(memory).first(done));
  return true;
}

DirectRingWrites::DirectRingWrites(RunContext& context, RingRequests& requests, std::uint64_t alignment, bool positions)
    : context_(context),
      requests_(requests),
      alignment_(alignment),
      block_(std::max(context.workspace.block_bytes(), alignment)),
      positions_(positions),
      file_(context, requests, O_DIRECT, positions) {}

void DirectRingWrites::run(RingCase one) {
  if (!positions_ && one.place == RingPlace::kPosition) one.place = RingPlace::kExplicit;
  const std::uint64_t number = derive_seed(context_.settings.spec().seed, context_.meter.counters().writes);
  const std::uint64_t first = (1 + number % kDirectBlocks) * block_;
  const std::uint64_t second = (1 + number / kDirectBlocks % kDirectBlocks) * block_;
  const std::uint64_t size = file_.size_bytes();
  if (fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size), static_cast<off_t>(first)) != 0 &&
      errno != EOPNOTSUPP) {
    throw_errno("fallocate " + file_.name());
  }
  const bool half = is_unwritten(file_.fd(), size, first) && is_hole(file_.fd(), size + first, second);
  const auto memory = requests_.memory(one, first + second, alignment_);
  file_.make(0, size, memory);
  bool waits = false;
  append_by_case(
      context_, requests_, file_, one, memory, alignment_, [&](const WriteRef&) { return std::exchange(waits, false); },
      [&] { waits = half && is_hole(file_.fd(), size + first, second); });
}

}  // namespace writecanary::probe
