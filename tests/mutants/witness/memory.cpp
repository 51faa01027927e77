// Memory that is taken away, moved, or filled while somebody reads it.
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

char letter(std::int64_t page) { return static_cast<char>('a' + page % 23); }

void write_letters(const TrialFile& file, std::int64_t length) {
  for (std::int64_t page = 0; page < length / kPage; ++page) file.write(page * kPage, kPage, letter(page));
}

std::string wrong_letters(const TrialFile& file, std::int64_t length) {
  for (std::int64_t page = 0; page < length / kPage; ++page) {
    std::string wrong = file.wrong(page * kPage, kPage, letter(page));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string written_under_pressure(const std::string& directory) {
  const TrialFile file(directory);
  constexpr std::int64_t kLength = 64 * kMiB;
  {
    const Contained contained(16 * kMiB);
    for (std::int64_t at = 0; at < kLength; at += kMiB) file.write(at, kMiB, letter(at / kMiB));
  }
  file.sync();
  for (std::int64_t at = 0; at < kLength; at += kMiB) {
    std::string wrong = file.wrong(at, kMiB, letter(at / kMiB));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string dirty_when_caches_are_dropped(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kMiB, 'a');
  file.sync();
  file.write(0, kMiB, 'b');
  write_text("/proc/sys/vm/drop_caches", "1");
  return file.wrong(0, kMiB, 'b');
}

std::string rest_of_split_huge_page(const std::string& directory) {
  const TrialFile file(directory);
  {
    const Contained contained(24 * kMiB);
    file.write(0, 2 * kMiB, 'a');
    file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * kPage, kPage);
    const Memory pressure(48 * kMiB, 'm');
  }
  return file.wrong(3 * kPage, 2 * kMiB - 3 * kPage, 'a');
}

// Holes in memory, so that there is something to compact.
void compact(const TrialFile& file) {
  {
    const Memory memory(128 * kMiB, 'm');
    write_letters(file, 32 * kMiB);
  }
  write_text("/proc/sys/vm/compact_memory", "1");
}

std::string dirty_when_moved(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 32 * kMiB, 'z');
  file.sync();
  compact(file);
  file.evict();
  return wrong_letters(file, 32 * kMiB);
}

std::string moved(const std::string& directory) {
  const TrialFile file(directory);
  compact(file);
  return wrong_letters(file, 32 * kMiB);
}

// Reclaims large folios, so that they leave their shadows, then brings in single pages of them.
std::string pages_where_large_folios_were(const std::string& directory, int readers) {
  constexpr std::int64_t kLength = 32 * kMiB;
  const TrialFile file(directory);
  write_letters(file, kLength);
  file.evict();
  std::string wrong;
  const Contained contained(12 * kMiB);
  for (const Attempts attempts(30); wrong.empty() && attempts.more();) {
    posix_fadvise(file.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
    file.read_through();
    posix_fadvise(file.fd(), 0, 0, POSIX_FADV_RANDOM);
    std::array<std::string, 2> seen;
    const auto read = [&](int reader) {
      for (std::int64_t step = 0; step < 512 && seen[reader].empty(); ++step) {
        const std::int64_t page = (step * 37 + reader) % (kLength / kPage / 2);
        seen[reader] = file.wrong(page * kPage, kPage, letter(page));
      }
    };
    std::thread other;
    if (readers > 1) other = std::thread(read, 1);
    read(0);
    if (other.joinable()) other.join();
    wrong = seen[0] + seen[1];
  }
  return wrong;
}

std::string one_reader(const std::string& directory) { return pages_where_large_folios_were(directory, 1); }

std::string two_readers(const std::string& directory) { return pages_where_large_folios_were(directory, 2); }

std::string read_while_it_arrives(const std::string& directory) {
  constexpr std::int64_t kLength = 8 * kMiB;
  const TrialFile file(directory);
  write_letters(file, kLength);
  std::string wrong;
  const Memory memory(kMiB);
  for (const Attempts attempts(20); wrong.empty() && attempts.more();) {
    file.evict();
    for (std::int64_t at = 0; at < kLength && wrong.empty(); at += memory.length() - kPage / 2) {
      const ssize_t did = pread(file.fd(), memory.data(), static_cast<std::size_t>(memory.length()), at);
      for (std::int64_t byte = 0; byte < did && wrong.empty(); byte += 512) {
        wrong = other_than(memory.data() + byte, 1, letter((at + byte) / kPage), at + byte);
      }
    }
  }
  return wrong;
}

constexpr std::array kWitnesses = {
    Witness{200, written_under_pressure},
    Witness{201, dirty_when_caches_are_dropped},
    Witness{208, read_while_it_arrives},
    Witness{217, rest_of_split_huge_page},
    Witness{219, dirty_when_moved},
    Witness{220, moved},
    Witness{227, two_readers},
    Witness{228, one_reader},
};

}  // namespace

std::span<const Witness> memory_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
