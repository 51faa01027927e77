// mutant-witness DIRECTORY NUMBER...: looks for the bugs of these numbers in a directory of its own, as root.
//
// Prints `NUMBER seen: WHAT` or `NUMBER not seen`. Exits 0 when none was seen, 2 when one was, 3 when the conditions
// for one could not be made or there is no witness of that number.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "tests/mutants/witness/witness.h"

namespace {

using writecanary::mutants::Witness;

std::vector<Witness> all() {
  using namespace writecanary::mutants;
  std::vector<Witness> found;
  for (const auto& part : {truncation_witnesses(), sharing_witnesses(), direct_witnesses(), stale_block_witnesses(),
                           mapping_witnesses(), failed_write_witnesses(), held_write_witnesses(), writeback_witnesses(),
                           memory_witnesses(), call_witnesses()}) {
    found.insert(found.end(), part.begin(), part.end());
  }
  return found;
}

std::optional<Witness> of_number(const std::string& number) {
  for (const Witness& witness : all()) {
    if (std::to_string(witness.number) == number) return witness;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: mutant-witness DIRECTORY NUMBER...\n", stderr);
    return 1;
  }
  int status = 0;
  for (int index = 2; index < argc; ++index) {
    const std::string number = argv[index];
    const std::optional<Witness> witness = of_number(number);
    const std::string directory = std::string(argv[1]) + "/" + number;
    if (!witness || mkdir(directory.c_str(), 0755) != 0) {
      std::printf("%s error: %s\n", number.c_str(), witness ? "mkdir failed" : "there is no witness of this number");
      status = 3;
      continue;
    }
    try {
      const std::string what = witness->look(directory);
      std::printf("%s %s%s\n", number.c_str(), what.empty() ? "not seen" : "seen: ", what.c_str());
      if (!what.empty() && status == 0) status = 2;
    } catch (const std::exception& error) {
      std::printf("%s error: %s\n", number.c_str(), error.what());
      status = 3;
    }
    std::fflush(stdout);
    rmdir(directory.c_str());
  }
  return status;
}
