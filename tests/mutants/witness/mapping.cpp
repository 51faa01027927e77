// Stores through mappings, and mappings of large folios.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

std::string store_to_hole(const std::string& directory, bool read_first) {
  const TrialFile file(directory);
  file.truncate(8 * kPage);
  {
    const Mapping mapping(file, 8 * kPage);
    if (read_first) static_cast<void>(mapping.wrong(0, 8 * kPage, '\0'));
    mapping.store(3 * kPage, kPage, 'b');
    mapping.sync();
  }
  file.evict();
  return file.wrong(3 * kPage, kPage, 'b');
}

std::string first_store(const std::string& directory) { return store_to_hole(directory, false); }

std::string store_after_read(const std::string& directory) { return store_to_hole(directory, true); }

std::string store_after_writeback(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kPage, 'a');
  file.sync();
  const Mapping mapping(file, kPage);
  for (const char letter : {'b', 'c'}) {
    mapping.store(0, kPage, letter);
    mapping.sync();
  }
  return file.wrong_direct(0, kPage, 'c');
}

// Pages a, b, c and so on, read ahead as far as the kernel likes.
void letters(const TrialFile& file, std::int64_t length) {
  for (std::int64_t page = 0; page < length / kPage; ++page)
    file.write(page * kPage, kPage, static_cast<char>('a' + page % 23));
  file.evict();
  file.read_through();
}

std::string mapped_large_folios(const std::string& directory) {
  const TrialFile file(directory);
  constexpr std::int64_t kLength = 4 * kMiB;
  letters(file, kLength);
  const Mapping mapping(file, kLength);
  for (std::int64_t page = 0; page < kLength / kPage; ++page) {
    const std::string wrong = mapping.wrong(page * kPage, kPage, static_cast<char>('a' + page % 23));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string read_large_folios(const std::string& directory) {
  const TrialFile file(directory);
  constexpr std::int64_t kLength = 4 * kMiB;
  letters(file, kLength);
  for (std::int64_t page = 0; page < kLength / kPage; ++page) {
    const std::string wrong = file.wrong(page * kPage, kPage, static_cast<char>('a' + page % 23));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

constexpr std::int64_t kHuge = 2 * kMiB;
constexpr int kMadvCollapse = 25;

// Makes a huge page of the file's first 2 MiB, mapped as a program's text is.
void collapse(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  void* reserved = mmap(nullptr, 2 * kHuge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (fd < 0 || reserved == MAP_FAILED) throw_errno("mmap to collapse");
  const auto start = reinterpret_cast<std::uintptr_t>(reserved);
  char* aligned = static_cast<char*>(reserved) + (kHuge - static_cast<std::int64_t>(start) % kHuge) % kHuge;
  void* memory = mmap(aligned, kHuge, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) throw_errno("mmap to collapse");
  int result = -1;
  for (int attempt = 0; result != 0 && attempt < 100; ++attempt) {
    for (std::int64_t page = 0; page < kHuge; page += kPage)
      static_cast<void>(*static_cast<volatile char*>(aligned + page));
    result = madvise(memory, kHuge, kMadvCollapse);
  }
  if (result != 0) throw_errno("madvise(COLLAPSE)");
  munmap(reserved, 2 * kHuge);
}

std::string collapsed_pages(const std::string& directory) {
  TrialFile file(directory);
  file.write(0, kHuge, 'a');
  file.sync();
  // Whoever has it open for writing keeps it from being collapsed.
  file.reopen_to_read();
  collapse(file.path());
  return file.wrong(0, kHuge, 'a');
}

std::string dirty_pages_after_collapse(const std::string& directory) {
  TrialFile file(directory);
  file.write(0, kHuge, 'a');
  file.reopen_to_read();
  collapse(file.path());
  file.reopen();
  return file.wrong(0, kHuge, 'a');
}

constexpr std::array kWitnesses = {
    Witness{136, first_store},      Witness{205, mapped_large_folios},        Witness{206, read_large_folios},
    Witness{214, collapsed_pages},  Witness{215, dirty_pages_after_collapse}, Witness{222, store_after_writeback},
    Witness{224, store_after_read},
};

}  // namespace

std::span<const Witness> mapping_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
