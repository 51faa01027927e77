// What the witnesses of mutants share: each is the shortest way to see one bug, and the proof that the mutant is not
// equivalent to the kernel as it is. They are no canary: a witness knows the bug that it looks for, makes whatever
// conditions it needs as root, and may loop for seconds where two calls have to meet.
#pragma once

#include <span>
#include <string>

namespace writecanary::mutants {

struct Witness {
  int number;
  // What was wrong, or nothing. `directory` is empty and on the filesystem to try. Throws when the conditions cannot be
  // made.
  std::string (*look)(const std::string& directory);
};

std::span<const Witness> truncation_witnesses();
std::span<const Witness> sharing_witnesses();
std::span<const Witness> direct_witnesses();
std::span<const Witness> stale_block_witnesses();
std::span<const Witness> mapping_witnesses();
std::span<const Witness> failed_write_witnesses();
std::span<const Witness> held_write_witnesses();
std::span<const Witness> writeback_witnesses();
std::span<const Witness> memory_witnesses();
std::span<const Witness> call_witnesses();

}  // namespace writecanary::mutants
