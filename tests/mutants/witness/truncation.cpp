// Truncation, holes, growth, ranges that are moved: what should read as zeros or elsewhere.
#include <fcntl.h>
#include <linux/falloc.h>

#include <array>

#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

constexpr std::int64_t kEnd = 5000;  // in the second page

// A file of two written pages that ends in the second one.
void cut(const TrialFile& file) {
  file.write(0, 2 * kPage, 'a');
  file.sync();
  file.truncate(kEnd);
}

std::string tail_in_mapping(const std::string& directory) {
  const TrialFile file(directory);
  cut(file);
  file.evict();
  return Mapping(file, 2 * kPage).wrong(kEnd, 2 * kPage - kEnd, '\0');
}

std::string tail_after_growth(const std::string& directory) {
  const TrialFile file(directory);
  cut(file);
  file.evict();
  file.truncate(2 * kPage);
  return file.wrong(kEnd, 2 * kPage - kEnd, '\0');
}

// Stores behind the end, in blocks that are written and clean.
void store_behind_the_end(const TrialFile& file, const Mapping& mapping) {
  file.write(0, kEnd, 'a');
  file.sync();
  mapping.store(kEnd + 500, 100, 'z');
}

std::string stores_after_growth(const std::string& directory) {
  const TrialFile file(directory);
  const Mapping mapping(file, 2 * kPage);
  store_behind_the_end(file, mapping);
  file.truncate(2 * kPage);
  return file.wrong(kEnd, 2 * kPage - kEnd, '\0');
}

std::string stores_after_write_behind(const std::string& directory) {
  const TrialFile file(directory);
  const Mapping mapping(file, 2 * kPage);
  store_behind_the_end(file, mapping);
  file.write(3 * kPage, 10, 'b');
  return file.wrong(kEnd, 3 * kPage - kEnd, '\0');
}

std::string edges_of_hole(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  file.sync();
  file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 8000);
  return file.wrong(1000, 8000, '\0');
}

std::string pages_of_hole(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kPage, 2 * kPage);
  return file.wrong(kPage, 2 * kPage, '\0');
}

// Four pages a, b, c, d, without the second.
void collapse(const TrialFile& file) {
  for (int page = 0; page < 4; ++page) file.write(page * kPage, kPage, static_cast<char>('a' + page));
  file.sync();
  file.allocate(FALLOC_FL_COLLAPSE_RANGE, kPage, kPage);
}

std::string pages_after_collapse(const std::string& directory) {
  const TrialFile file(directory);
  collapse(file);
  return file.wrong(kPage, kPage, 'c');
}

std::string size_after_collapse(const std::string& directory) {
  const TrialFile file(directory);
  collapse(file);
  return file.size() == 3 * kPage
             ? ""
             : "the file has " + std::to_string(file.size()) + " bytes, not " + std::to_string(3 * kPage);
}

std::string rest_of_cached_page(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, kPage, 'a');
  file.truncate(1000);
  file.truncate(kPage);
  return file.wrong(1000, kPage - 1000, '\0');
}

std::string page_behind_the_end(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 4 * kPage, 'a');
  file.sync();
  file.truncate(kEnd);
  file.truncate(4 * kPage);
  return file.wrong(2 * kPage, 2 * kPage, '\0');
}

std::string rest_of_large_folio(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 2 * kMiB, 'a');
  file.evict();
  file.read_through();
  for (std::int64_t end = kMiB + kEnd; end > 0; end -= 96 * kKiB) {
    file.truncate(end);
    file.truncate(end + 64 * kKiB);
    if (std::string wrong = file.wrong(end, 64 * kKiB, '\0'); !wrong.empty()) return wrong;
  }
  return "";
}

std::string last_page_of_split(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 2 * kMiB, 'a');
  file.truncate(kMiB + 100);
  return file.wrong(kMiB - kPage, kPage + 100, 'a');
}

std::string last_block_after_close(const std::string& directory) {
  TrialFile file(directory);
  for (std::int64_t offset = 0; offset < kMiB; offset += 64 * kKiB) file.write(offset, 64 * kKiB, 'a');
  file.sync();
  file.reopen();
  file.evict();
  return file.wrong(0, kMiB, 'a');
}

constexpr std::array kWitnesses = {
    Witness{106, tail_in_mapping},      Witness{107, stores_after_growth}, Witness{108, stores_after_write_behind},
    Witness{109, tail_after_growth},    Witness{110, edges_of_hole},       Witness{111, pages_of_hole},
    Witness{112, pages_after_collapse}, Witness{113, size_after_collapse}, Witness{145, last_block_after_close},
    Witness{202, rest_of_cached_page},  Witness{203, page_behind_the_end}, Witness{218, last_page_of_split},
    Witness{232, rest_of_large_folio},
};

}  // namespace

std::span<const Witness> truncation_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
