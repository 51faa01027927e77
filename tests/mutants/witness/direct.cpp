// Direct I/O, alone and beside the page cache.
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

constexpr std::int64_t kSector = 512;

std::string old_pages(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  file.sync();
  file.write_direct(0, 4 * kPage, 'b');
  return file.wrong(0, 4 * kPage, 'b');
}

std::string mapped_pages(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  file.sync();
  const Mapping mapping(file, 4 * kPage);
  static_cast<void>(mapping.wrong(0, 4 * kPage, 'a'));
  file.write_direct(0, 4 * kPage, 'b');
  return mapping.wrong(0, 4 * kPage, 'b');
}

std::string pages_read_meanwhile(const std::string& directory) {
  const TrialFile file(directory);
  constexpr std::int64_t kLength = 256 * kKiB;
  file.write_direct(0, kLength, 'a');
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) file.read_through();
  });
  std::string wrong;
  char letter = 'a';
  for (const Attempts attempts(10); wrong.empty() && attempts.more();) {
    letter = letter == 'a' ? 'b' : 'a';
    file.write_direct(0, kLength, letter);
    wrong = file.wrong(0, kLength, letter);
  }
  done = true;
  reader.join();
  return wrong.empty() ? "" : file.wrong(0, kLength, letter);
}

std::string read_beside_dirty_pages(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 8 * kPage, 'a');
  file.sync();
  file.write(0, 8 * kPage, 'b');
  return file.wrong_direct(0, 8 * kPage, 'b');
}

std::string written_over(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  file.sync();
  file.write(0, 4 * kPage, 'b');
  file.write_direct(0, 4 * kPage, 'c');
  file.evict();
  return file.wrong(0, 4 * kPage, 'c');
}

std::string size_of_append(const std::string& directory) {
  const TrialFile file(directory);
  file.write_direct(0, 4 * kPage, 'a');
  return file.size() == 4 * kPage
             ? ""
             : "the file has " + std::to_string(file.size()) + " bytes after a direct write of 16384";
}

std::string asynchronous(const std::string& directory) {
  const TrialFile file(directory);
  const Memory memory(4 * kPage, 'a');
  const int fd = open(file.path().c_str(), O_RDWR | O_DIRECT);
  aio_context_t queue = 0;
  if (fd < 0 || syscall(SYS_io_setup, 1, &queue) != 0) throw_errno("io_setup");
  iocb request{};
  request.aio_fildes = static_cast<std::uint32_t>(fd);
  request.aio_lio_opcode = IOCB_CMD_PWRITE;
  request.aio_buf = reinterpret_cast<std::uintptr_t>(memory.data());
  request.aio_nbytes = static_cast<std::uint64_t>(memory.length());
  std::array<iocb*, 1> requests = {&request};
  io_event event{};
  if (syscall(SYS_io_submit, queue, 1, requests.data()) != 1) throw_errno("io_submit");
  if (syscall(SYS_io_getevents, queue, 1, 1, &event, nullptr) != 1) throw_errno("io_getevents");
  syscall(SYS_io_destroy, queue);
  close(fd);
  if (event.res != memory.length()) throw std::runtime_error("the asynchronous write failed");
  return file.wrong(0, 4 * kPage, 'a');
}

std::string hole(const std::string& directory) {
  const TrialFile file(directory);
  file.truncate(8 * kPage);
  return file.wrong_direct(0, 8 * kPage, '\0');
}

std::string result_across_the_end(const std::string& directory, int flags) {
  const TrialFile file(directory);
  file.write(0, 1000, 'a');
  file.sync();
  const Memory memory(kPage);
  const int fd = open(file.path().c_str(), O_RDONLY | flags);
  const ssize_t result = pread(fd, memory.data(), static_cast<std::size_t>(kPage), 0);
  close(fd);
  return result == 1000 ? "" : "a read of a file of 1000 bytes returns " + std::to_string(result);
}

std::string direct_across_the_end(const std::string& directory) { return result_across_the_end(directory, O_DIRECT); }

std::string buffered_across_the_end(const std::string& directory) { return result_across_the_end(directory, 0); }

// Each half of each new block is written by another thread.
std::string halves_of_blocks(const std::string& directory) {
  const TrialFile file(directory);
  std::string wrong;
  for (const Attempts attempts(10); wrong.empty() && attempts.more();) {
    constexpr std::int64_t kBlocks = 16;
    file.truncate(0);
    file.allocate(0, 0, (kBlocks + 1) * kPage);
    std::atomic<int> arrived = 0;
    const auto write = [&](std::int64_t sector, char letter) {
      for (int block = 0; block < kBlocks; ++block) {
        // Both begin each block together.
        ++arrived;
        while (arrived < 2 * (block + 1)) std::this_thread::yield();
        file.write_direct(block * kPage + sector * kSector, kSector, letter);
      }
    };
    std::thread other(write, 6, 'b');
    write(1, 'a');
    other.join();
    for (int block = 0; block < kBlocks && wrong.empty(); ++block) {
      wrong = file.wrong(block * kPage + kSector, kSector, 'a') + file.wrong(block * kPage + 6 * kSector, kSector, 'b');
    }
  }
  return wrong;
}

std::string many_pieces(const std::string& directory) {
  const TrialFile file(directory);
  file.write_direct(0, 4 * kMiB, 'a');
  const Memory memory(4 * kMiB);
  for (std::int64_t page = 0; page < 4 * kMiB / kPage; ++page)
    memory.data()[page * kPage] = static_cast<char>('a' + page % 23);
  const int fd = open(file.path().c_str(), O_RDWR | O_DIRECT);
  const ssize_t did = pwrite(fd, memory.data(), static_cast<std::size_t>(memory.length()), 0);
  close(fd);
  if (did != memory.length()) throw_errno("direct write of 4 MiB");
  for (std::int64_t page = 0; page < 4 * kMiB / kPage; ++page) {
    const std::string wrong = file.wrong(page * kPage, 1, static_cast<char>('a' + page % 23));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

constexpr std::array kWitnesses = {
    Witness{126, old_pages},
    Witness{127, pages_read_meanwhile},
    Witness{128, read_beside_dirty_pages},
    Witness{129, written_over},
    Witness{131, halves_of_blocks},
    Witness{132, size_of_append},
    Witness{133, asynchronous},
    Witness{146, hole},
    Witness{147, direct_across_the_end},
    Witness{160, many_pieces},
    Witness{204, mapped_pages},
    Witness{209, buffered_across_the_end},
    Witness{221, read_beside_dirty_pages},
};

}  // namespace

std::span<const Witness> direct_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
