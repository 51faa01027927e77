// Offsets, positions and flags of single calls; two appenders.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

std::string behind_four_gibibytes(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kPage, 'a');
  file.write(4096 * kMiB, kPage, 'b');
  return file.wrong(4096 * kMiB, kPage, 'b');
}

std::string append_of_one_call(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kPage, 'a');
  const Memory memory(kPage, 'b');
  const iovec piece{.iov_base = memory.data(), .iov_len = kPage};
  if (pwritev2(file.fd(), &piece, 1, 0, RWF_APPEND) != kPage) throw_errno("pwritev2(RWF_APPEND)");
  return file.wrong(0, kPage, 'a');
}

std::string two_appenders(const std::string& directory) {
  const TrialFile file(directory);
  std::string wrong;
  for (const Attempts attempts(10); wrong.empty() && attempts.more();) {
    file.truncate(0);
    constexpr int kRecords = 200;
    constexpr std::int64_t kRecord = 10'000;
    const auto append = [&file](char letter) {
      const Memory memory(kRecord, letter);
      const int fd = open(file.path().c_str(), O_WRONLY | O_APPEND);
      for (int record = 0; record < kRecords; ++record) {
        if (write(fd, memory.data(), kRecord) != kRecord) throw_errno("append");
      }
      close(fd);
    };
    std::thread other(append, 'b');
    append('a');
    other.join();
    if (file.size() != 2 * kRecords * kRecord)
      wrong = "the file has " + std::to_string(file.size()) + " bytes of 4000000 appended";
  }
  return wrong;
}

constexpr std::array kWitnesses = {Witness{135, two_appenders}, Witness{212, behind_four_gibibytes},
                                   Witness{247, append_of_one_call}};

}  // namespace

std::span<const Witness> call_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
