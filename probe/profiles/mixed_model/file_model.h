// The mixed-model profile's operations, and what they make of a file: a plan and a model in memory. Pure.
//
// Every operation means something after any other, so that a list stays a list when some are left out: places are
// absolute or counted from the end, and what reaches beyond the end of the file or its largest size is cut or does
// nothing. Executing them on a real file is probe/profiles/mixed_model/file_executor.h.
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
  kMapRead,  // also what the last page shows behind the end
  kDirectWrite,
  kDirectRead,
  kCollapse,   // a range of blocks taken out, what follows moves up
  kInsert,     // a hole of blocks put in
  kClone,      // the whole file cloned over its twin
  kTwinWrite,  // a write to the twin, which shares blocks with the file
  kUnshare,
  kStoreBehind,  // through a mapping, between the end and the end of its page: not in the file, and zeros when it grows
};
inline constexpr std::size_t kOpKindCount = static_cast<std::size_t>(OpKind::kStoreBehind) + 1;

struct Operation {
  OpKind kind = OpKind::kRead;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t target = 0;      // kCopyRange: where to
  std::uint16_t generation = 0;  // names the write in the words that it writes
  bool ring = false;             // through io_uring, where the kind can
  bool near_end = false;         // the place lies about the end of the file, wherever that is: see FileModel::place()
};

// What the file may be and what the filesystem wants.
struct ModelLimits {
  std::uint64_t size_max = 0;
  std::uint64_t direct_alignment = 512;
  std::uint64_t block_bytes = 4096;  // of collapsed and inserted ranges
};

// "write 4096+300 (io_uring)", "truncate to 100".
std::string to_string(const Operation& operation);

// The same seed gives the same list. Places and lengths are any bytes below `size_max`, every second one about the edge
// of a block or the end of the file. kStoreBehind comes only if asked for.
std::vector<Operation> plan_operations(std::uint64_t seed, std::size_t count, std::uint64_t size_max,
                                       bool stores_behind = false);

class FileModel {
 public:
  // Words carry this run and, as their file, the generation of the write.
  FileModel(std::uint16_t run_tag, bool incompressible, const ModelLimits& limits)
      : run_tag_(run_tag), incompressible_(incompressible), limits_(limits), size_max_(limits.size_max) {}

  const std::vector<std::byte>& bytes() const { return bytes_; }
  const std::vector<std::byte>& twin() const { return twin_; }  // empty before the first clone
  // The part of [offset, offset + length) that the operation can work on as the file is now; empty: it does nothing.
  FileRange reach(const Operation& operation) const;
  // The same operation with its place as it is now, which no longer depends on what came before: a list of such can be
  // made shorter.
  Operation resolved(Operation operation) const;
  // What a write operation puts there.
  std::vector<std::byte> data(const Operation& operation, const FileRange& range) const;
  void apply(const Operation& operation);
  // What an operation that failed left: the file, or its twin, has this size, and these bytes from the offset on.
  void take_over(std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found);
  void take_over_twin(std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found);

 private:
  // Where the operation is meant to be.
  std::uint64_t place(const Operation& operation, std::uint64_t size) const;
  FileRange reach_of_blocks(const Operation& operation) const;
  std::span<std::byte> part(std::uint64_t offset, std::uint64_t length) {
    return std::span(bytes_).subspan(offset, length);
  }
  void grow(std::uint64_t size) {
    if (size > bytes_.size()) bytes_.resize(size);
  }

  std::uint16_t run_tag_;
  bool incompressible_;
  ModelLimits limits_;
  std::uint64_t size_max_;
  std::vector<std::byte> bytes_, twin_;
};

}  // namespace writecanary::probe
