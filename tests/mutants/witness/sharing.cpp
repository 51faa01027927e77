// Clones and copies: what one file's bytes are worth when another shares them, or is made of them.
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <array>

#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

constexpr std::int64_t kLength = 64 * kKiB;

// Two files of the same blocks, none of them cached.
class Pair {
 public:
  explicit Pair(const std::string& directory) : source(directory, "source"), target(directory, "target") {
    source.write(0, kLength, 'a');
    source.sync();
    clone(source, target);
    evict();
  }
  void evict() const {
    source.evict();
    target.evict();
  }
  const TrialFile source;
  const TrialFile target;
};

std::string buffered_write(const std::string& directory) {
  const Pair pair(directory);
  pair.target.write(0, kPage, 'b');
  pair.evict();
  return pair.source.wrong(0, kLength, 'a');
}

std::string direct_write(const std::string& directory) {
  const Pair pair(directory);
  pair.target.write_direct(0, kPage, 'b');
  pair.evict();
  return pair.source.wrong(0, kLength, 'a');
}

std::string store(const std::string& directory) {
  const Pair pair(directory);
  {
    const Mapping mapping(pair.target, kLength);
    mapping.store(0, kPage, 'b');
    mapping.sync();
  }
  pair.evict();
  return pair.source.wrong(0, kLength, 'a');
}

std::string unshared(const std::string& directory) {
  const Pair pair(directory);
  pair.target.allocate(FALLOC_FL_UNSHARE_RANGE, 0, kLength);
  pair.evict();
  return pair.target.wrong(0, kLength, 'a');
}

std::string written_after_clone(const std::string& directory) {
  const Pair pair(directory);
  pair.target.write(0, kPage, 'b');
  pair.evict();
  return pair.target.wrong(0, kPage, 'b');
}

std::string directly_written_after_clone(const std::string& directory) {
  const Pair pair(directory);
  pair.target.write_direct(0, kPage, 'b');
  return pair.target.wrong(0, kPage, 'b');
}

std::string rest_of_partly_written_block(const std::string& directory) {
  const Pair pair(directory);
  pair.target.write(500, 100, 'b');
  return pair.target.wrong(0, 500, 'a') + pair.target.wrong(600, kPage - 600, 'a');
}

std::string pages_of_target(const std::string& directory) {
  const TrialFile source(directory, "source");
  const TrialFile target(directory, "target");
  source.write(0, kLength, 'a');
  target.write(0, kLength, 'd');
  clone(source, target);
  return target.wrong(0, kLength, 'a');
}

std::string last_partial_block(const std::string& directory) {
  const TrialFile source(directory, "source");
  const TrialFile target(directory, "target");
  source.write(0, 5000, 'a');
  clone(source, target);
  return target.wrong(0, 5000, 'a');
}

std::string seek(const std::string& directory, std::int64_t from, int what, std::int64_t right) {
  const TrialFile file(directory);
  file.allocate(0, 0, kLength);
  file.write(4 * kPage, kPage, 'a');
  const std::int64_t found = lseek(file.fd(), from, what);
  return found == right ? "" : "lseek finds " + std::to_string(found) + ", not " + std::to_string(right);
}

std::string seek_data(const std::string& directory) { return seek(directory, 0, SEEK_DATA, 4 * kPage); }

std::string seek_hole(const std::string& directory) { return seek(directory, 4 * kPage, SEEK_HOLE, 5 * kPage); }

constexpr std::array kWitnesses = {
    Witness{103, buffered_write},
    Witness{104, direct_write},
    Witness{105, unshared},
    Witness{120, written_after_clone},
    Witness{121, rest_of_partly_written_block},
    Witness{122, directly_written_after_clone},
    Witness{123, pages_of_target},
    Witness{124, seek_data},
    Witness{125, seek_hole},
    Witness{137, store},
    Witness{153, last_partial_block},
};

}  // namespace

std::span<const Witness> sharing_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
