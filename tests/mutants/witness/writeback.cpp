// What arrives on storage: seen once the page cache, or the inode, is gone.
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

std::string written(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kMiB, 'a');
  file.evict();
  return file.wrong(0, kMiB, 'a');
}

// A part of a file is punched and written again while the whole of it is being written back.
std::string rewritten_while_written_back(const std::string& directory) {
  constexpr std::int64_t kLength = 16 * kMiB;
  constexpr std::int64_t kPart = 12 * kMiB;
  std::string wrong;
  for (const Attempts attempts(30); wrong.empty() && attempts.more();) {
    const TrialFile file(directory);
    file.write(0, kLength, 'a');
    std::thread flusher([&] { file.sync(); });
    for (int part = 0; part < 8; ++part) {
      const std::int64_t at = kPart + part * 8 * kPage;
      file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, 4 * kPage);
      file.write(at, 4 * kPage, 'b');
    }
    flusher.join();
    file.evict();
    for (int part = 0; part < 8 && wrong.empty(); ++part) wrong = file.wrong(kPart + part * 8 * kPage, 4 * kPage, 'b');
  }
  return wrong;
}

// Two files that grow in turn lie in pieces between each other. Then one is written anew.
std::string pieces(const std::string& directory) {
  constexpr std::int64_t kPiece = 16 * kKiB;
  constexpr int kPieces = 16;
  const TrialFile one(directory, "one");
  const TrialFile other(directory, "other");
  for (int piece = 0; piece < kPieces; ++piece) {
    one.write_direct(piece * kPiece, kPiece, 'a');
    other.write_direct(piece * kPiece, kPiece, 'b');
  }
  one.write(0, kPieces * kPiece, 'c');
  one.evict();
  other.evict();
  return one.wrong(0, kPieces * kPiece, 'c') + other.wrong(0, kPieces * kPiece, 'b');
}

std::string size_of_forgotten_inode(const std::string& directory) {
  TrialFile file(directory);
  file.write(0, 100, 'a');
  file.sync();
  file.write(100, 50, 'b');
  file.sync();
  file.close_it();
  for (int attempt = 0; attempt < 3; ++attempt) {
    sync();
    write_text("/proc/sys/vm/drop_caches", "3");
  }
  file.reopen();
  return file.size() == 150 ? "" : "the file has " + std::to_string(file.size()) + " bytes, not 150";
}

std::string hole_beside_readers(const std::string& directory) {
  constexpr std::int64_t kLength = kMiB;
  std::string wrong;
  for (const Attempts attempts(30); wrong.empty() && attempts.more();) {
    const TrialFile file(directory);
    file.write(0, kLength, 'a');
    file.evict();
    std::atomic<bool> done = false;
    std::thread reader([&] {
      while (!done) {
        const Mapping mapping(file, kLength);
        for (std::int64_t at = kLength - kPage; at >= 0; at -= kPage) static_cast<void>(mapping.data()[at]);
        posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
      }
    });
    for (int part = 0; part < 16; ++part) {
      file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, part * 64 * kKiB, 32 * kKiB);
    }
    done = true;
    reader.join();
    for (int part = 0; part < 16 && wrong.empty(); ++part) wrong = file.wrong(part * 64 * kKiB, 32 * kKiB, '\0');
  }
  return wrong;
}

constexpr std::array kWitnesses = {
    Witness{102, rewritten_while_written_back},
    Witness{118, written},
    Witness{119, written},
    Witness{143, pieces},
    Witness{144, size_of_forgotten_inode},
    Witness{225, hole_beside_readers},
};

}  // namespace

std::span<const Witness> writeback_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
