// What was seen of a file while a call was held open beside, compared with what must stand there.
//
// What is wrong is looked at again when the file is at rest: if it is right then, nobody would find it later, and it is
// reported as transient; if it is still wrong, the judgement of the file reports it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probe/profiles/held/held_file.h"

namespace writecanary::probe {

class Witness {
 public:
  // `right` is what the file is to hold in the end, and must outlive this.
  Witness(const HeldFile& file, std::span<const std::byte> right) : view_(file.view(right)), right_(right) {}

  // Bytes that were seen at this place; what lies behind the right end is wrong in itself. `how` ends the finding's
  // text.
  void see(std::uint64_t offset, std::span<const std::byte> bytes, const std::string& how);
  // Bytes that should have been seen from there to `end`, and were not.
  void miss(std::uint64_t offset, std::uint64_t end, const std::string& how);
  // Loads, or reads without waiting, and sees what it got. Return its length.
  std::size_t load(int fd, std::uint64_t offset, std::uint64_t bytes, const std::string& how);
  std::size_t read_at_once(int fd, std::uint64_t offset, std::uint64_t bytes, const std::string& how);

  // With the file at rest.
  void report(FindingReporter& findings) const;

 private:
  ContentView view_;
  std::span<const std::byte> right_;
  std::uint64_t bytes_ = 0;
  std::vector<Finding> wrong_;
};

}  // namespace writecanary::probe
