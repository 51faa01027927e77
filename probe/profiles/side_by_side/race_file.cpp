#include "probe/profiles/side_by_side/race_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_alignment.h"
#include "probe/pattern/plan.h"
#include "probe/verify/cold/eviction.h"

namespace writecanary::probe {

RaceFile::RaceFile(RunContext& context, std::uint64_t size_bytes, std::uint64_t turn)
    : context_(context), identity_(context.next_file_of_turn(turn)), file_(context.workspace, identity_.name, 0) {
  if (retried([&] { return ftruncate(fd(), static_cast<off_t>(size_bytes)); }) != 0) throw_errno("truncate " + name());
  image_.resize(size_bytes);
  try {
    direct_ = context.workspace.open(identity_.name, O_RDWR | O_DIRECT);
    direct_unit_ = direct_alignment(direct_.get());
  } catch (const SystemError& error) {
    if (error.error_number() != EINVAL) throw;
  }
}

std::uint64_t RaceFile::random(std::uint64_t below) { return derive_seed(identity_.seed, drawn_++) % below; }

std::span<const std::byte> RaceFile::renew(FileRange where) {
  generation_ = static_cast<std::uint8_t>(generation_ % kWriterTagMax + 1);
  Tag tag = identity_.tag;
  tag.writer = generation_;
  const auto renewed = std::span(image_).subspan(where.offset, where.length);
  Pattern(tag, identity_.incompressible).fill_bytes(where.offset, renewed);
  return renewed;
}

void RaceFile::fill() { write_counted(context_.meter, fd(), name(), 0, renew({0, size()})); }

void RaceFile::write(FileRange where) {
  for (auto rest = renew(where); !rest.empty();) {
    const FileRange now{static_cast<std::uint64_t>(rest.data() - image_.data()), rest.size()};
    const ssize_t returned =
        retried([&] { return pwrite(fd(), rest.data(), rest.size(), static_cast<off_t>(now.offset)); });
    const int error = errno;
    count_write(now, returned < 0 ? -error : returned);
    if (returned < 0) throw WriteFailed(name(), now.offset, error);
    rest = rest.subspan(static_cast<std::size_t>(returned));
  }
}

bool RaceFile::fallocate_as(int mode, FileRange where) {
  const int failed = retried(
      [&] { return fallocate(fd(), mode, static_cast<off_t>(where.offset), static_cast<off_t>(where.length)); });
  if (failed != 0 && errno != EOPNOTSUPP && errno != ENOSYS) throw_errno("fallocate " + name());
  return failed == 0;
}

bool RaceFile::punch(FileRange where) {
  if (!fallocate_as(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, where)) return false;
  std::ranges::fill(std::span(image_).subspan(where.offset, where.length), std::byte{0});
  return true;
}

bool RaceFile::allocate(FileRange where) { return fallocate_as(0, where); }

void RaceFile::sync() {
  const SteadyTime begun = context_.clock.steady();
  if (retried([&] { return fdatasync(fd()); }) != 0) throw_errno("fdatasync " + name());
  last_sync_ = context_.clock.steady() - begun;
}

bool RaceFile::evict() { return probe::evict(fd(), name()).none(); }

bool RaceFile::map() {
  mapping_ = FileMapping(fd(), 0, size(), PROT_READ | PROT_WRITE, MAP_SHARED);
  return !mapping_.bytes().empty();
}

void RaceFile::store(FileRange where) {
  const auto bytes = renew(where);
  std::ranges::copy(bytes, mapping_.bytes().subspan(where.offset).begin());
  mapping_.check("store through a mapping of " + name());
  count_write(where, static_cast<std::int64_t>(where.length));
}

std::int64_t RaceFile::write_promised(FileRange where) const {
  const AlignedBuffer<std::byte> memory(page(), (where.length + page() - 1) / page() * page());
  std::ranges::copy(std::span(image_).subspan(where.offset, where.length), memory.span().begin());
  const ssize_t result = retried(
      [&] { return pwrite(direct_fd(), memory.span().data(), where.length, static_cast<off_t>(where.offset)); });
  return result < 0 ? -errno : result;
}

void RaceFile::count_write(FileRange where, std::int64_t result) {
  WriteRef write;
  write.stream_offset_bytes = where.offset;
  write.length_bytes = where.length;
  write.result = result;
  context_.meter.count_bytes(write);
}

ContentView RaceFile::view() const {
  return {.fd = fd(),
          .name = name(),
          .size_bytes = size(),
          .expected = bytes_of(image_),
          .run_tag = identity_.tag.run,
          .incompressible = identity_.incompressible};
}

}  // namespace writecanary::probe
