// The parts that are several requests: linked ones, and a splice through a pipe.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "core/base/error.h"
#include "probe/access/range_state.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/ring_io/ring_parts.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kChainMax = 3;
constexpr std::uint64_t kChainBytesMax = 24 << 10;
constexpr std::uint64_t kSpliceBytesMax = 48 << 10;  // fits in a pipe
constexpr int kGenerations = 14;                     // of what goes over old bytes; 0 is that of new places

using Results = std::array<std::int64_t, kChainMax>;

// Waits for all of a chain, whose requests are numbered from 1. `waited`: the first was not complete at once.
Results collect(Ring& ring, std::size_t count, bool& waited) {
  Results results{};
  waited = true;
  for (std::size_t i = 0; i < count; ++i) {
    std::optional<Completion> one;
    if (i == 0) one = ring.peek();
    if (one) waited = false;
    if (!one) one = ring.wait();
    results.at(one->user_data - 1) = one->result;
  }
  return results;
}

void check(const RingFile& file, const char* what, std::int64_t result) {
  if (result >= 0 || result == -ECANCELED) return;
  throw SystemError(fmt::format("{} of a chain on {}", what, file.name()), static_cast<int>(-result));
}

WriteRef written(std::uint64_t bytes, std::uint64_t offset, std::int64_t result) {
  WriteRef write;
  write.length_bytes = bytes;
  write.stream_offset_bytes = offset;
  write.route = Route::kRing;
  write.result = result;
  return write;
}

unsigned char link_flag(std::uint64_t seed) { return seed % 2 == 0 ? IOSQE_IO_LINK : IOSQE_IO_HARDLINK; }

// New bytes over old ones, perhaps a sync, and a read of them.
void write_and_read(const RingRound& round, RingSetup setup, bool sync) {
  const std::uint64_t size = round.file.size_bytes();
  const std::uint64_t bytes = 1 + derive_seed(round.seed, 1) % std::min(size, kChainBytesMax);
  const std::uint64_t offset = derive_seed(round.seed, 2) % (size - bytes + 1);
  const auto generation = static_cast<std::uint8_t>(1 + derive_seed(round.seed, 3) % kGenerations);
  const RingTarget target = round.file.target({});
  std::vector<std::byte> fresh(bytes), found(bytes, std::byte{0xee});
  round.file.make(generation, offset, fresh);
  const CoveredStates met = state_of(round.file.fd(), {offset, bytes}, size);
  round.context.meter.cover(CoveredOperation::kWrite, CoveredWay::kRing, met);
  Ring& ring = round.requests.ring(setup);
  const unsigned char link = link_flag(round.seed);
  io_uring_sqe* write = ring.next_sqe();
  io_uring_prep_write(write, target.fd, fresh.data(), static_cast<unsigned>(bytes), offset);
  write->flags |= link | IOSQE_ASYNC;
  write->user_data = 1;
  if (sync) {
    io_uring_sqe* fsync = ring.next_sqe();
    io_uring_prep_fsync(fsync, target.fd, IORING_FSYNC_DATASYNC);
    fsync->flags |= link;
    fsync->user_data = 2;
  }
  io_uring_sqe* read = ring.next_sqe();
  io_uring_prep_read(read, target.fd, found.data(), static_cast<unsigned>(bytes), offset);
  read->user_data = 3;
  ring.submit();
  bool waited = false;
  const Results results = collect(ring, sync ? 3 : 2, waited);
  check(round.file, "the write", results[0]);
  const auto done = static_cast<std::size_t>(std::max<std::int64_t>(results[0], 0));
  round.file.acknowledge(offset, std::span<const std::byte>(fresh).first(done));
  round.context.meter.count(written(bytes, offset, results[0]), waited && results[2] > 0);
  check(round.file, "the sync", results[1]);
  check(round.file, "the read", results[2]);
  if (results[2] <= 0) return;
  const auto read_bytes = std::min(done, static_cast<std::size_t>(results[2]));
  round.file.compare_read("a READ that was linked to the write of the same bytes", offset,
                          std::span<const std::byte>(found).first(read_bytes));
}

// Two, of which the second must stand behind the first.
void append_twice(const RingRound& round, RingSetup setup) {
  const std::uint64_t size = round.file.size_bytes();
  const RingTarget target = round.file.target({.place = RingPlace::kEnd});
  std::vector<std::byte> first(1 + derive_seed(round.seed, 1) % kChainBytesMax);
  std::vector<std::byte> second(1 + derive_seed(round.seed, 2) % kChainBytesMax);
  round.file.make(0, size, first);
  round.file.make(0, size + first.size(), second);
  Ring& ring = round.requests.ring(setup);
  std::uint64_t number = 0;
  for (const auto* bytes : {&first, &second}) {
    io_uring_sqe* append = ring.next_sqe();
    io_uring_prep_write(append, target.fd, bytes->data(), static_cast<unsigned>(bytes->size()),
                        static_cast<std::uint64_t>(-1));
    if (number == 0) append->flags |= link_flag(round.seed) | IOSQE_ASYNC;
    append->user_data = ++number;
  }
  ring.submit();
  bool waited = false;
  const Results results = collect(ring, 2, waited);
  const std::array sources = {&first, &second};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    check(round.file, "an append", results.at(i));
    const std::int64_t result = std::max<std::int64_t>(results.at(i), 0);
    const std::uint64_t offset = round.file.size_bytes();
    const auto source = std::span<const std::byte>(*sources.at(i));
    round.file.acknowledge(offset, source.first(static_cast<std::size_t>(result)));
    round.context.meter.count(written(source.size(), offset, results.at(i)), i == 1 && waited && result > 0);
    // Both were made before the position could be looked at.
    if (i == 1) round.file.check_position({.place = RingPlace::kEnd}, true, offset, result);
  }
}

// One of the two halves of a splice. Returns how many bytes went through; `waited` as for a chain.
std::uint64_t splice(Ring& ring, int from, std::int64_t from_offset, int to, std::int64_t to_offset,
                     std::uint64_t bytes, bool& waited) {
  io_uring_sqe* sqe = ring.next_sqe();
  io_uring_prep_splice(sqe, from, from_offset, to, to_offset, static_cast<unsigned>(bytes), 0);
  sqe->user_data = 1;
  ring.submit();
  const std::int64_t result = collect(ring, 1, waited)[0];
  if (result < 0) throw SystemError("IORING_OP_SPLICE", static_cast<int>(-result));
  return static_cast<std::uint64_t>(result);
}

}  // namespace

void run_chain(const RingRound& round, RingSetup setup, unsigned kind) {
  if (kind % kChainKinds == 2) return append_twice(round, setup);
  write_and_read(round, setup, kind % kChainKinds == 1);
}

void run_splice(const RingRound& round, RingSetup setup, bool from_position) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
  const Fd out(ends[0]), in(ends[1]);
  const RingCase reading{.place = from_position ? RingPlace::kPosition : RingPlace::kExplicit};
  const std::uint64_t size = round.file.size_bytes();
  // With an offset, 0 every second time, the position is elsewhere and stays there.
  const std::uint64_t elsewhere = 1 + derive_seed(round.seed, 2) % (size - 1);
  round.file.aim({.place = RingPlace::kPosition}, elsewhere);
  const std::uint64_t from = from_position ? elsewhere : derive_seed(round.seed, 4) % 2 * (elsewhere / 2);
  const std::uint64_t bytes = 1 + derive_seed(round.seed, 3) % std::min(size - from, kSpliceBytesMax);
  const int fd = round.file.target(reading).fd;
  Ring& ring = round.requests.ring(setup);
  round.context.meter.cover(CoveredOperation::kSplice, CoveredWay::kRing,
                            state_of(round.file.fd(), {from, bytes}, size));
  bool waited = false;
  const std::uint64_t taken =
      splice(ring, fd, from_position ? -1 : static_cast<std::int64_t>(from), in.get(), -1, bytes, waited);
  round.file.check_position(reading, false, from, static_cast<std::int64_t>(taken));
  for (std::uint64_t done = 0; done < taken;) {
    const std::uint64_t end = round.file.size_bytes();
    bool ignored = false;
    const std::uint64_t put = splice(ring, out.get(), -1, fd, static_cast<std::int64_t>(end), taken - done, ignored);
    if (put == 0) throw SystemError("IORING_OP_SPLICE to " + round.file.name() + ": nothing was written", EIO);
    // A copy: acknowledging may move the image.
    const auto source = round.file.image().subspan(from + done, put);
    round.file.acknowledge(end, std::vector<std::byte>(source.begin(), source.end()));
    round.context.meter.count(written(taken - done, end, static_cast<std::int64_t>(put)), waited);
    done += put;
  }
}

}  // namespace writecanary::probe
