// New and preallocated blocks, where a deleted file left its bytes; and memory that was used before.
#include <fcntl.h>
#include <linux/falloc.h>

#include <array>

#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

constexpr std::int64_t kLength = 32 * kMiB;

// A file of preallocated blocks in which another one's bytes are. Its size comes first: then they are within the file.
void preallocate_used_blocks(const std::string& directory, const TrialFile& file) {
  {
    const TrialFile before(directory, "before");
    before.write_direct(0, kLength, 'x');
    before.sync();
  }
  file.sync();
  file.truncate(kLength);
  file.allocate(0, 0, kLength);
}

std::string read_of_preallocated(const std::string& directory) {
  const TrialFile file(directory);
  preallocate_used_blocks(directory, file);
  return file.wrong(0, kLength, '\0');
}

std::string direct_read_of_preallocated(const std::string& directory) {
  const TrialFile file(directory);
  preallocate_used_blocks(directory, file);
  return file.wrong_direct(0, kLength, '\0');
}

std::string around_direct_write(const std::string& directory) {
  const TrialFile file(directory);
  preallocate_used_blocks(directory, file);
  for (std::int64_t offset = 0; offset < kLength; offset += kMiB) {
    file.write_direct(offset + 1024, 512, 'a');
    const std::string wrong = file.wrong(offset, 1024, '\0') + file.wrong(offset + 1536, kPage - 1536, '\0');
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// Free memory that is not zero.
void use_memory() { const Memory memory(64 * kMiB, 'm'); }

std::string around_write_into_hole(const std::string& directory) {
  const TrialFile file(directory);
  file.truncate(kMiB);
  use_memory();
  for (std::int64_t offset = 0; offset < kMiB; offset += kPage) file.write(offset + 500, 100, 'a');
  for (std::int64_t offset = 0; offset < kMiB; offset += kPage) {
    const std::string wrong = file.wrong(offset, 500, '\0') + file.wrong(offset + 600, kPage - 600, '\0');
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string around_write_to_block(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kMiB, 'a');
  file.evict();
  use_memory();
  for (std::int64_t offset = 0; offset < kMiB; offset += kPage) file.write(offset + 500, 100, 'b');
  for (std::int64_t offset = 0; offset < kMiB; offset += kPage) {
    const std::string wrong = file.wrong(offset, 500, 'a') + file.wrong(offset + 600, kPage - 600, 'a');
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// Blocks of 1 KiB: one block of each page is written, the others are on storage.
std::string other_blocks_of_page(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kMiB, 'a');
  file.evict();
  use_memory();
  for (std::int64_t offset = 0; offset < kMiB; offset += kPage) {
    file.write(offset, kKiB, 'b');
    const std::string wrong = file.wrong(offset + kKiB, kKiB, 'a');
    if (!wrong.empty()) return wrong;
  }
  return "";
}

constexpr std::array kWitnesses = {
    Witness{114, read_of_preallocated},   Witness{115, direct_read_of_preallocated},
    Witness{116, around_write_into_hole}, Witness{117, around_write_to_block},
    Witness{130, around_direct_write},    Witness{148, other_blocks_of_page},
    Witness{149, other_blocks_of_page},   Witness{156, read_of_preallocated},
};

}  // namespace

std::span<const Witness> stale_block_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
