#include "probe/profiles/side_by_side/races.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "core/base/error.h"
#include "core/base/retried.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kParts = 8;
constexpr std::uint64_t kPieces = 32;
constexpr std::uint64_t kPartBlocks = 4;
constexpr std::uint64_t kStoredBytes = 64;  // of a page
constexpr std::uint64_t kPromised = 64;     // blocks of which two threads write a half each

// Where that begins which write-back comes to last.
std::uint64_t last_part(const RaceFile& file) { return file.size() / 4 * 3 / file.block() * file.block(); }

bool written(RaceFile& file) {
  file.fill();
  return true;
}

bool clean(RaceFile& file) {
  file.fill();
  file.sync();
  return true;
}

// So that what takes an extent each takes long.
void write_every_second_block(RaceFile& file) {
  for (std::uint64_t at = 0; at < file.size(); at += 2 * file.block()) file.write({at, file.block()});
}

// One extent, and in it pages that can only be written back one by one, but for the last part, which is clean: a hole
// in it is made at once.
bool scattered(RaceFile& file) {
  if (!clean(file)) return false;
  for (std::uint64_t at = 0; at < last_part(file); at += 2 * file.block()) file.write({at, file.block()});
  return true;
}

bool cold_pieces(RaceFile& file) {
  if (!file.map()) return false;
  file.unmap();
  write_every_second_block(file);
  return file.evict();
}

void write_back(const RaceFile& file, Meeting& meeting) {
  meeting.call([&] {
    if (retried([&] { return fdatasync(file.fd()); }) != 0) meeting.fail(errno);
  });
}

// As the kernel does by itself: it takes along what becomes dirty meanwhile, which fdatasync(2) leaves out.
void begin_write_back(const RaceFile& file, Meeting& meeting) {
  meeting.call([&] {
    if (retried([&] { return sync_file_range(file.fd(), 0, 0, SYNC_FILE_RANGE_WRITE); }) != 0) meeting.fail(errno);
  });
}

// What write-back comes to later than now, with what it learned of the file before.
void punch_and_write(RaceFile& file, Meeting& meeting, Finding&) {
  const std::uint64_t part = kPartBlocks * file.block();
  for (std::uint64_t at = last_part(file); meeting.wait() && at + part <= file.size(); at += 2 * part) {
    meeting.beside([&] {
      if (file.punch({at, part})) file.write({at, part});
    });
  }
}

// Pages that a mapping may write to, so that the kernel hears of a store only from the page table.
bool stored_to(RaceFile& file) {
  if (!clean(file) || !file.map()) return false;
  for (std::uint64_t at = 0; at < file.size(); at += file.page()) file.store({at, kStoredBytes});
  return true;
}

// One store to each page, for a later one would have the page written back again, over as long as write-back may take
// or a part of it: nobody knows when in it a page is looked at.
void store_to_pages(RaceFile& file, Meeting& meeting, Finding&) {
  if (!meeting.wait()) return;
  const auto pages = static_cast<std::int64_t>(file.size() / file.page());
  const auto pause = file.last_sync() / pages / (std::int64_t{1} << file.random(6));
  auto next = std::chrono::steady_clock::now();
  for (std::uint64_t at = 0; at < file.size(); at += file.page(), next += pause) {
    while (meeting.is_called() && std::chrono::steady_clock::now() < next) std::this_thread::yield();
    meeting.beside([&] { file.store({at + kStoredBytes, kStoredBytes}); });
  }
  file.unmap();
}

void advise(const RaceFile& file, Meeting& meeting) {
  while (!meeting.is_over()) {
    meeting.call([&] { posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED); });
  }
}

void write_pieces(RaceFile& file, Meeting& meeting, Finding&) {
  for (std::uint64_t i = 0; meeting.wait() && i < kPieces; ++i) {
    const std::uint64_t offset = file.random(file.size() - 2 * file.page());
    meeting.beside([&] { file.write({offset, 1 + file.random(2 * file.page())}); });
  }
}

// Through a mapping, whose faults bring in what lies around them, from the end on.
void read_again(const RaceFile& file, Meeting& meeting) {
  while (!meeting.is_over()) {
    {
      const FileMapping mapping(file.fd(), 0, file.size(), PROT_READ, MAP_SHARED);
      if (mapping.bytes().empty()) return meeting.fail(errno);
      // Else there is no more readahead after a hundred faults (mm/filemap.c, MMAP_LOTSAMISS).
      madvise(mapping.bytes().data(), mapping.bytes().size(), MADV_SEQUENTIAL);
      const volatile std::byte* const bytes = mapping.bytes().data();
      for (std::uint64_t at = file.size(); at != 0 && !meeting.is_over(); at -= file.page())
        meeting.call([&] { static_cast<void>(bytes[at - file.page()]); });
    }
    posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

// From the end on as well.
void punch_all(RaceFile& file, Meeting& meeting, Finding&) {
  const std::uint64_t part = file.size() / kParts / file.block() * file.block();
  for (std::uint64_t i = kParts; meeting.wait() && i-- > 0;) {
    meeting.beside([&] { file.punch({i * part, part}); });
  }
}

// All of the file is data, so that a copy which follows SEEK_DATA must find no hole in it.
void look_for_holes(RaceFile& file, Meeting& meeting, Finding& wrong) {
  if (!meeting.wait()) return;
  meeting.beside([] {});  // the looks of a round are one
  while (meeting.is_called()) {
    const off_t hole = lseek(file.fd(), 0, SEEK_HOLE);
    if (hole < 0 && errno == EINVAL) return;
    if (hole < 0) throw_errno("lseek(SEEK_HOLE) in " + file.name());
    const auto begin = static_cast<std::uint64_t>(hole);
    if (begin >= file.size() || wrong.length_bytes != 0) continue;
    const off_t data = lseek(file.fd(), hole, SEEK_DATA);
    wrong.offset_bytes = begin;
    wrong.length_bytes = (data < 0 ? file.size() : static_cast<std::uint64_t>(data)) - begin;
    wrong.detail = "lseek(SEEK_HOLE) said that it is a hole, which a copy then leaves out";
  }
}

// The halves of new blocks, in units in which they can be written directly.
FileRange half(const RaceFile& file, std::uint64_t block, bool second) {
  return {block * file.block() + (second ? file.block() / 2 : 0), file.direct_unit()};
}

bool has_new_blocks(RaceFile& file) {
  if (file.direct_unit() == 0 || file.direct_unit() > file.block() / 2) return false;
  if (!file.allocate({0, file.size()})) return false;
  for (std::uint64_t block = 0; block < kPromised; ++block) {
    file.promise(half(file, block, false));
    file.promise(half(file, block, true));
  }
  return true;
}

void write_second_halves(const RaceFile& file, Meeting& meeting) {
  for (std::uint64_t block = 0; block < kPromised && meeting.step(); ++block) {
    std::int64_t result = 0;
    meeting.call([&] { result = file.write_promised(half(file, block, true)); });
    if (result < 0) return meeting.fail(static_cast<int>(-result));
  }
}

void write_first_halves(RaceFile& file, Meeting& meeting, Finding&) {
  for (std::uint64_t block = 0; block < kPromised && meeting.step(); ++block) {
    const FileRange where = half(file, block, false);
    std::int64_t result = 0;
    meeting.beside([&] { result = file.write_promised(where); });
    file.count_write(where, result);
    if (result < 0) throw SystemError("direct write to " + file.name(), static_cast<int>(-result));
  }
}

constexpr std::array kRaces = {
    Race{"a hole that is made and filled beside write-back", true, scattered, begin_write_back, punch_and_write},
    Race{"stores through a mapping beside write-back", true, stored_to, write_back, store_to_pages},
    Race{"writes beside fadvise(DONTNEED)", true, clean, advise, write_pieces},
    Race{"holes that are made beside mapped reads", true, cold_pieces, read_again, punch_all},
    Race{"SEEK_HOLE beside write-back", true, written, write_back, look_for_holes},
    Race{"two direct writes to one new block", false, has_new_blocks, write_second_halves, write_first_halves},
};

}  // namespace

bool Meeting::step() {
  const std::uint64_t mine = arrived_.fetch_add(1, std::memory_order_acq_rel);
  const std::uint64_t both = (mine / 2 + 1) * 2;
  while (arrived_.load(std::memory_order_acquire) < both) {
    if (is_over() || error() != 0) return false;
    std::this_thread::yield();
  }
  return true;
}

bool Meeting::wait() const {
  while (calls_.load(std::memory_order_acquire) == 0) {
    if (error() != 0) return false;
    std::this_thread::yield();
  }
  return true;
}

std::span<const Race> races() { return kRaces; }

}  // namespace writecanary::probe
