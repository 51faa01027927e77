// What the mixed-model profile's operations make of a file and its twin: a model in memory. Pure.
//
// Every operation means something after any other: what reaches beyond the end of the file or its largest size is cut
// or does nothing. Executing them on a real file is probe/profiles/mixed_model/file_executor.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "probe/pattern/pattern.h"
#include "probe/profiles/mixed_model/operation.h"
#include "probe/run/file_range.h"

namespace writecanary::probe {

// What the file may be and what the filesystem wants.
struct ModelLimits {
  std::uint64_t size_max = 0;
  std::uint64_t direct_alignment = 512;
  std::uint64_t block_bytes = 4096;  // of collapsed and inserted ranges
};

class FileModel {
 public:
  // Words carry this run and, as their file, the generation of the write.
  FileModel(std::uint16_t run_tag, bool incompressible, const ModelLimits& limits)
      : run_tag_(run_tag), incompressible_(incompressible), limits_(limits), size_max_(limits.size_max) {}

  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::uint64_t direct_alignment() const { return limits_.direct_alignment; }
  const std::vector<std::byte>& twin() const { return twin_; }  // empty before the first clone
  // The part of [offset, offset + length) that the operation can work on as the file is now; empty: it does nothing.
  FileRange reach(const Operation& operation) const;
  // The same operation with its place as it is now, which no longer depends on what came before: a list of such can be
  // made shorter.
  Operation resolved(Operation operation) const;
  // Where kCopyRange and kCloneRange put what they copy.
  std::uint64_t target(const Operation& operation) const;
  // What a write operation puts there.
  std::vector<std::byte> data(const Operation& operation, const FileRange& range) const;
  // Other bytes of the same write, which stand there for a moment.
  std::vector<std::byte> earlier_data(const Operation& operation, const FileRange& range) const;
  void apply(const Operation& operation);
  // What an operation that failed left: the file, or its twin, has this size, and these bytes from the offset on.
  void take_over(std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found);
  void take_over_twin(std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found);

 private:
  // Where the operation is meant to be.
  std::uint64_t place(const Operation& operation, std::uint64_t size) const;
  FileRange reach_of_blocks(const Operation& operation) const;
  FileRange reach_of_sharing(const Operation& operation) const;
  FileRange reach_directly(const Operation& operation) const;
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
