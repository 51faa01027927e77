// Writes whose memory cannot be read to its end, or vanishes while it is copied.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

constexpr std::int64_t kReadable = 500;  // of the last page

// Writes from memory of which only the last `readable` bytes before a page that cannot be read are there.
ssize_t write_to_forbidden(const TrialFile& file, std::int64_t offset, std::int64_t readable, std::int64_t length) {
  const std::int64_t pages = (readable + kPage - 1) / kPage * kPage;
  const Memory memory(pages + length, 'b');
  memory.forbid(pages);
  return pwrite(file.fd(), memory.data() + pages - readable, static_cast<std::size_t>(length), offset);
}

std::string bytes_before_the_end(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 6000, 'a');
  write_to_forbidden(file, 5000, kReadable, 4000);
  return file.wrong(5000 + kReadable, 500, 'a');
}

std::string result_of_short_copy(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  const ssize_t result = write_to_forbidden(file, 0, kReadable, 2000);
  return result <= kReadable ? "" : "a write of 500 readable bytes reports " + std::to_string(result);
}

std::string last_block_of_short_write(const std::string& directory) {
  const TrialFile file(directory);
  const ssize_t result = write_to_forbidden(file, 0, kPage + kReadable, 3 * kPage);
  if (result <= 0) throw_errno("write of partly readable memory");
  file.evict();
  return file.wrong(0, result, 'b');
}

std::string position_after_short_write(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  const Memory memory(2 * kPage, 'b');
  memory.forbid(kPage);
  const ssize_t result = write(file.fd(), memory.data() + kPage - kReadable, 1000);
  const off_t position = lseek(file.fd(), 0, SEEK_CUR);
  return position == result
             ? ""
             : "after a write of " + std::to_string(result) + " bytes the position is " + std::to_string(position);
}

// The memory is a mapping of another file, whose pages another thread takes away all the time. Each byte of it says
// where in its page it is, so a later part is told from the right one.
std::string vanishing_memory(const std::string& directory) {
  constexpr std::int64_t kLength = 64 * kKiB;
  constexpr std::int64_t kShift = 100;  // so that each page of the file comes from two
  const TrialFile source(directory, "source");
  const Memory pattern(kLength + kPage);
  for (std::int64_t at = 0; at < pattern.length(); ++at) pattern.data()[at] = static_cast<char>(at / 50 % 120);
  if (pwrite(source.fd(), pattern.data(), static_cast<std::size_t>(pattern.length()), 0) != pattern.length())
    throw_errno("write source");
  source.sync();
  const Mapping mapping(source, kLength + kPage);
  std::atomic<bool> done = false;
  std::thread taker([&] {
    while (!done) madvise(const_cast<char*>(mapping.data()), static_cast<std::size_t>(kLength), MADV_DONTNEED);
  });
  const Memory back(kLength);
  std::string wrong;
  for (const Attempts attempts(20); wrong.empty() && attempts.more();) {
    const TrialFile file(directory, "target");
    const ssize_t did =
        pwrite(file.fd(), const_cast<char*>(mapping.data()) + kShift, static_cast<std::size_t>(kLength), 0);
    if (did <= 0 || pread(file.fd(), back.data(), static_cast<std::size_t>(did), 0) != did)
      throw_errno("write and read");
    for (std::int64_t at = 0; at < did && wrong.empty(); ++at) {
      if (back.data()[at] != pattern.data()[at + kShift])
        wrong = "byte " + std::to_string(at) + " is of another part of the memory";
    }
  }
  done = true;
  taker.join();
  return wrong;
}

constexpr std::array kWitnesses = {
    Witness{138, bytes_before_the_end},      Witness{139, vanishing_memory}, Witness{140, result_of_short_copy},
    Witness{141, last_block_of_short_write}, Witness{213, vanishing_memory}, Witness{248, position_after_short_write},
};

}  // namespace

std::span<const Witness> failed_write_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
