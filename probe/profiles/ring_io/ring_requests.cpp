#include "probe/profiles/ring_io/ring_requests.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "probe/stream/stream.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kPiecesMax = 6;  // of a vector; the kernel keeps up to eight without memory of its own
// linux/fs.h of 6.14 and later.
constexpr int kRwfDontCache = 0x80;
constexpr std::uint64_t kSpare = 64 << 10;  // for what lies before a request in its buffer

int flags_of(const RingCase& one) {
  int flags = one.place == RingPlace::kAppendFlag ? RWF_APPEND : 0;
  if (one.flag == RingFlag::kDsync) flags |= RWF_DSYNC;
  if (one.flag == RingFlag::kDontCache) flags |= kRwfDontCache;
  return flags;
}

// Pieces that grow: the first are small, so that a write that is stopped part-way has done some of them.
std::vector<iovec> pieces_of(std::span<std::byte> bytes, std::uint64_t alignment) {
  std::vector<iovec> pieces;
  std::uint64_t length = std::max<std::uint64_t>(alignment, 1) * (alignment > 1 ? 1 : 1237);
  while (!bytes.empty()) {
    const bool last = pieces.size() + 1 == kPiecesMax || bytes.size() <= length;
    const std::uint64_t piece = last ? bytes.size() : length;
    pieces.push_back({bytes.data(), piece});
    bytes = bytes.subspan(piece);
    length *= 3;
  }
  return pieces;
}

std::uint64_t rounded(std::uint64_t bytes, std::uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

RingRequests::RingRequests(std::uint64_t bytes)
    : page_bytes_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))),
      plain_(page_bytes_, rounded(bytes + kSpare, page_bytes_)),
      fixed_(page_bytes_, rounded(bytes + kSpare + 2 * page_bytes_, page_bytes_)) {
  std::ranges::fill(plain_.span(), std::byte{0xee});
  std::ranges::fill(fixed_.span(), std::byte{0xee});
}

std::unique_ptr<RingRequests> RingRequests::open(RunContext& context, std::uint64_t bytes, Unsupported& refused) {
  std::unique_ptr<RingRequests> requests(new RingRequests(bytes));
  for (const RingSetup setup : {RingSetup::kPlain, RingSetup::kDeferTaskrun, RingSetup::kThread}) {
    Unsupported why;
    auto trap = Trap::open(context.pressure,
                           {.headroom_bytes = armed_sizes(context).headroom,
                            .directory = context.workspace.directory(),
                            .writer = static_cast<std::uint32_t>(setup),
                            .setup = setup},
                           why);
    if (!trap && setup == RingSetup::kPlain) {
      refused = why;
      return nullptr;
    }
    if (!trap) {
      requests->refused_.insert(why.reason);
      continue;
    }
    if (const int error = trap->ring().register_buffer(requests->fixed_.span()); error != 0) {
      requests->has_fixed_ = false;
      requests->refused_.insert("registered buffers: " + error_text(error));
    }
    requests->setups_.push_back(setup);
    requests->traps_.at(static_cast<std::size_t>(setup)) = std::move(trap);
  }
  return requests;
}

void RingRequests::register_files(std::span<const int> descriptors) {
  for (const RingSetup setup : setups_) {
    const int error = has_files_ ? ring(setup).register_files(descriptors) : 0;
    if (error == 0) continue;
    has_files_ = false;
    refused_.insert("registered files: " + error_text(error));
  }
}

void RingRequests::forget_files() {
  for (const RingSetup setup : setups_) ring(setup).forget_files();
}

std::span<std::byte> RingRequests::memory(const RingCase& one, std::uint64_t bytes, std::uint64_t alignment) {
  // Within its page at least one unit from the begin, and at an odd place where any will do.
  const std::uint64_t lead = alignment > 1 ? alignment % page_bytes_ : 1320;
  const bool fixed = one.memory == RingMemory::kFixed && has_fixed_;
  if (!fixed) return plain_.span().subspan(lead, bytes);
  return fixed_.span().subspan(page_bytes_ + lead, bytes);
}

void RingRequests::prepare(io_uring_sqe& sqe, const RingCase& one, bool writes, const RingTarget& target,
                           std::span<std::byte> bytes, std::int64_t offset, std::vector<iovec>& vector,
                           std::uint64_t alignment) {
  const bool registered = one.registered_file && has_files_;
  const int fd = registered ? static_cast<int>(target.registered) : target.fd;
  const auto length = static_cast<unsigned>(bytes.size());
  const auto place = static_cast<std::uint64_t>(offset);
  const bool fixed = one.memory == RingMemory::kFixed && has_fixed_;
  if (one.memory == RingMemory::kVector) {
    vector = pieces_of(bytes, alignment);
    const auto count = static_cast<unsigned>(vector.size());
    writes ? io_uring_prep_writev(&sqe, fd, vector.data(), count, place)
           : io_uring_prep_readv(&sqe, fd, vector.data(), count, place);
  } else if (fixed) {
    writes ? io_uring_prep_write_fixed(&sqe, fd, bytes.data(), length, place, 0)
           : io_uring_prep_read_fixed(&sqe, fd, bytes.data(), length, place, 0);
  } else {
    writes ? io_uring_prep_write(&sqe, fd, bytes.data(), length, place)
           : io_uring_prep_read(&sqe, fd, bytes.data(), length, place);
  }
  if (writes) sqe.rw_flags = flags_of(one);
  if (registered) sqe.flags |= IOSQE_FIXED_FILE;
  if (one.worker) sqe.flags |= IOSQE_ASYNC;
}

WriteRef RingRequests::write(const RingCase& one, const RingTarget& target, std::span<std::byte> bytes,
                             std::int64_t offset, std::uint64_t alignment, const std::function<void()>& between) {
  std::vector<iovec> vector;
  const auto fill = [&](io_uring_sqe& sqe) { prepare(sqe, one, true, target, bytes, offset, vector, alignment); };
  if (!one.worker) return trap(one.setup).write(target.fd, bytes.size(), fill, between);
  fill(*ring(one.setup).next_sqe());
  ring(one.setup).submit();
  WriteRef write;
  write.length_bytes = bytes.size();
  write.route = Route::kRing;
  write.result = ring(one.setup).wait().result;
  return write;
}

}  // namespace writecanary::probe
