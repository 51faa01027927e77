// The mixed-model profile's operations, and what they make of a file: a plan and a model in memory. Pure.
//
// Every operation means something after any other, so that a list stays a list when some are left out: places are
// absolute, and what reaches beyond the end of the file or its largest size is cut or does nothing. Executing them on a
// real file is probe/profiles/mixed_model/file_executor.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probe/pattern/pattern.h"
#include "probe/run/file_range.h"

namespace writecanary::probe {

enum class OpKind : std::uint8_t {
  kWrite,
  kAppend,
  kRead,
  kTruncate,  // to `offset`, shorter or longer
  kAllocate,  // fallocate(2), may make the file longer
  kPunch,
  kZeroRange,
  kSync,
  kEvict,      // written back and dropped from the page cache
  kCopyRange,  // copy_file_range(2) within the file
  kMapWrite,
  kMapRead,
};

struct Operation {
  OpKind kind = OpKind::kRead;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t target = 0;      // kCopyRange: where to
  std::uint16_t generation = 0;  // names the write in the words that it writes
  bool ring = false;             // through io_uring, where the kind can
};

// "write 4096+300 (io_uring)", "truncate to 100".
std::string to_string(const Operation& operation);

// The same seed gives the same list. Places and lengths are any bytes below `size_max`.
std::vector<Operation> plan_operations(std::uint64_t seed, std::size_t count, std::uint64_t size_max);

class FileModel {
 public:
  // Words carry this run and, as their file, the generation of the write.
  FileModel(std::uint16_t run_tag, bool incompressible, std::uint64_t size_max)
      : run_tag_(run_tag), incompressible_(incompressible), size_max_(size_max) {}

  const std::vector<std::byte>& bytes() const { return bytes_; }
  // The part of [offset, offset + length) that the operation can work on as the file is now; empty: it does nothing.
  FileRange reach(const Operation& operation) const;
  // What a write operation puts there.
  std::vector<std::byte> data(const Operation& operation, const FileRange& range) const;
  void apply(const Operation& operation);

 private:
  std::span<std::byte> part(std::uint64_t offset, std::uint64_t length) {
    return std::span(bytes_).subspan(offset, length);
  }
  void grow(std::uint64_t size) {
    if (size > bytes_.size()) bytes_.resize(size);
  }

  std::uint16_t run_tag_;
  bool incompressible_;
  std::uint64_t size_max_;
  std::vector<std::byte> bytes_;
};

}  // namespace writecanary::probe
