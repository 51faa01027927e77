// Copies by pieces, into a file that is as long already and holds other bytes, in the page cache and on storage: what
// the source has as holes must become zeros, and nobody may read the old bytes afterwards.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/profiles/copy_after_write/copy_calls.h"

namespace writecanary::probe {
namespace {

constexpr char kOldByte = '\xb5';            // no word of a run has eight of it
constexpr std::size_t kOldBytes = 64 << 10;  // at once
constexpr std::uint64_t kCopiedBlocks = 5, kClonedBlocks = 3;
constexpr std::uint64_t kOddBytes = 1000;  // that a piece lacks of whole blocks

void fill_with_old(int to, std::uint64_t size) {
  const std::vector<char> old(kOldBytes, kOldByte);
  for (std::uint64_t at = 0; at < size; at += old.size()) {
    put_all(to, old.data(), std::min<std::uint64_t>(old.size(), size - at), static_cast<off_t>(at));
  }
  if (retried([&] { return fdatasync(to); }) != 0) throw_errno("fdatasync the copy");
}

std::uint64_t block_of(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("fstat the copy");
  return static_cast<std::uint64_t>(status.st_blksize);
}

// Shares the bytes of two files at the same place if they are the same. The errno with which that is refused, or 0.
int deduplicate(int from, int to, std::uint64_t offset, std::uint64_t length) {
  alignas(file_dedupe_range) std::array<std::byte, sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)> memory{};
  auto* range = reinterpret_cast<file_dedupe_range*>(memory.data());
  range->src_offset = range->info[0].dest_offset = offset;
  range->src_length = length;
  range->dest_count = 1;
  range->info[0].dest_fd = to;
  if (retried([&] { return ioctl(from, FIDEDUPERANGE, range); }) != 0) return refused_or_throw("FIDEDUPERANGE");
  if (range->info[0].status >= 0) return 0;  // the same or not: the comparison says whether that is true
  errno = -range->info[0].status;
  return refused_or_throw("FIDEDUPERANGE");
}

}  // namespace

// Every second block of the copy is other bytes at first. Nobody may take it for the source then, which would have them
// too; afterwards all of it may be shared.
int deduplicate_pieces(int from, int to, std::uint64_t size) {
  fill_with_old(to, size);
  const std::uint64_t block = block_of(to), whole = size / (2 * block) * 2 * block;
  for (std::uint64_t at = 0; at < whole; at += 2 * block) {
    copy_range(from, to, static_cast<off_t>(at), static_cast<off_t>(at + block));
    if (const int refused = deduplicate(to, from, at, 2 * block); refused != 0) return refused;
  }
  copy_range(from, to, 0, static_cast<off_t>(size));
  return whole == 0 ? 0 : deduplicate(from, to, 0, whole);
}

// A piece begins at a block, so that the filesystem may clone it, and ends in one, whose part it must copy.
int copy_pieces(int from, int to, std::uint64_t size) {
  fill_with_old(to, size);
  const std::uint64_t piece = kCopiedBlocks * block_of(to);
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t odd = done % piece == 0 ? piece - kOddBytes : piece - done % piece;
    auto read = static_cast<off_t>(done), write = read;
    const ssize_t copied =
        retried([&] { return copy_file_range(from, &read, to, &write, std::min(odd, size - done), 0); });
    if (copied < 0 && done == 0) return refused_or_throw("copy_file_range");
    if (copied < 0) throw_errno("copy_file_range");
    if (copied == 0) break;  // it met an end that is not there: the comparison says it
    done += static_cast<std::uint64_t>(copied);
  }
  return 0;
}

// From the last to the first, so that each but the first comes from the middle of something.
int clone_pieces(int from, int to, std::uint64_t size) {
  fill_with_old(to, size);
  const std::uint64_t piece = kClonedBlocks * block_of(to), last = (size - 1) / piece * piece;
  for (std::uint64_t at = last;; at -= piece) {
    // The last one ends with the file, which need not be the end of a block: a length of 0.
    const file_clone_range range{
        .src_fd = from, .src_offset = at, .src_length = at == last ? 0 : piece, .dest_offset = at};
    if (retried([&] { return ioctl(to, FICLONERANGE, &range); }) != 0) {
      if (at == last) return refused_or_throw("FICLONERANGE");
      throw_errno("FICLONERANGE");
    }
    if (at == 0) return 0;
  }
}

}  // namespace writecanary::probe
