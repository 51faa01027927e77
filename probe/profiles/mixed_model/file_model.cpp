#include "probe/profiles/mixed_model/file_model.h"

#include <unistd.h>

#include <algorithm>

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kAroundEnd = 9000;  // of these most lie before the end
constexpr std::uint64_t kBehindEnd = 3000;
constexpr std::uint64_t kDirectPartsMax = 8;

void put(std::vector<std::byte>& bytes, std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found) {
  bytes.resize(size);
  if (offset >= size) return;
  std::ranges::copy(found.first(std::min<std::uint64_t>(found.size(), size - offset)),
                    bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

std::uint64_t FileModel::place(const Operation& operation, std::uint64_t size) const {
  if (!operation.near_end) return operation.offset;
  const std::uint64_t behind = size + kBehindEnd;
  return std::min(behind - std::min(behind, operation.offset % kAroundEnd), size_max_);
}

Operation FileModel::resolved(Operation operation) const {
  operation.offset = place(operation, operation.kind == OpKind::kTwinWrite ? twin_.size() : bytes_.size());
  operation.near_end = false;
  return operation;
}

// Collapsing and inserting: whole blocks, before the end.
FileRange FileModel::reach_of_blocks(const Operation& operation) const {
  const std::uint64_t block = limits_.block_bytes, size = bytes_.size();
  const std::uint64_t begin = place(operation, size) / block * block;
  const std::uint64_t length = (operation.length + block - 1) / block * block;
  if (begin >= size) return {};
  if (operation.kind == OpKind::kCollapse) return begin + length < size ? FileRange{begin, length} : FileRange{};
  return size + length <= size_max_ ? FileRange{begin, length} : FileRange{};
}

// Cloning within the file, and deduplication with the twin: whole blocks that are there as a whole.
FileRange FileModel::reach_of_sharing(const Operation& operation) const {
  const std::uint64_t block = limits_.block_bytes;
  const bool clones = operation.kind == OpKind::kCloneRange;
  const std::uint64_t size = clones ? bytes_.size() : std::min(bytes_.size(), twin_.size());
  const std::uint64_t begin = place(operation, size) / block * block, end = size / block * block;
  if (begin >= end) return {};
  std::uint64_t length = std::min((operation.length + block - 1) / block * block, end - begin);
  if (clones) {
    const std::uint64_t to = target(operation);
    length = std::min(length, std::max(begin, to) - std::min(begin, to));  // no overlap
    length = std::min(length, (size_max_ - to) / block * block);
  }
  return length == 0 ? FileRange{} : FileRange{begin, length};
}

FileRange FileModel::reach_directly(const Operation& operation) const {
  const std::uint64_t unit = limits_.direct_alignment, size = bytes_.size();
  const std::uint64_t begin = place(operation, size) / unit * unit;
  const std::uint64_t length = (operation.length + unit - 1) / unit * unit;
  // A read ends with the file's last block: over preallocation behind the end that is still delayed, XFS answers EIO
  // (6.18, iomap_dio_iter(): IOMAP_DELALLOC).
  const bool reads = operation.kind == OpKind::kDirectRead;
  const std::uint64_t limit = reads ? (size + unit - 1) / unit * unit : size_max_ / unit * unit;
  if (begin >= (reads ? size : limit)) return {};
  const std::uint64_t room = limit > begin ? limit - begin : unit;
  const bool parts = operation.kind == OpKind::kDirectParts;
  return {begin, std::min(parts ? std::min(length, kDirectPartsMax * unit) : length, room)};
}

std::uint64_t FileModel::target(const Operation& operation) const {
  const std::uint64_t unit = operation.kind == OpKind::kCloneRange ? limits_.block_bytes : 1;
  return std::min(operation.target, size_max_) / unit * unit;
}

FileRange FileModel::reach(const Operation& operation) const {
  const std::uint64_t size = bytes_.size();
  const std::uint64_t offset = place(operation, size);
  const auto within = [&](std::uint64_t begin, std::uint64_t end) {
    return begin < end ? FileRange{begin, std::min(operation.length, end - begin)} : FileRange{};
  };
  switch (operation.kind) {
    case OpKind::kAppend:
      return within(size, size_max_);
    case OpKind::kWrite:
    case OpKind::kAllocate:
    case OpKind::kZeroRange:
    case OpKind::kPunch:
    case OpKind::kRewrite:
    case OpKind::kStopped:
      return within(offset, size_max_);
    case OpKind::kCopyRange: {
      FileRange source = within(offset, size);
      if (operation.target < size_max_) source.length = std::min(source.length, size_max_ - operation.target);
      const std::uint64_t apart = std::max(offset, operation.target) - std::min(offset, operation.target);
      source.length = std::min(source.length, apart);  // copy_file_range(2) refuses overlap
      return source;
    }
    case OpKind::kTruncate:
      return {std::min(offset, size_max_), 0};
    case OpKind::kSync:
    case OpKind::kEvict:
      return {};
    case OpKind::kDirectWrite:
    case OpKind::kDirectRead:
    case OpKind::kDirectParts:
      return reach_directly(operation);
    case OpKind::kCloneRange:
    case OpKind::kDedupe:
      return reach_of_sharing(operation);
    case OpKind::kCollapse:
    case OpKind::kInsert:
      return reach_of_blocks(operation);
    case OpKind::kClone:
    case OpKind::kAllocateStopped:
      return {0, size};
    case OpKind::kTwinWrite:
      return twin_.empty() ? FileRange{} : within(place(operation, twin_.size()), size_max_);
    case OpKind::kStoreBehind:
    case OpKind::kStoreSynced: {
      const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
      return size % page == 0 ? FileRange{} : FileRange{size, page - size % page};
    }
    default:
      return within(offset, size);
  }
}

std::vector<std::byte> FileModel::data(const Operation& operation, const FileRange& range) const {
  std::vector<std::byte> data(range.length);
  Pattern({.run = run_tag_, .file = operation.generation}, incompressible_).fill_bytes(range.offset, data);
  return data;
}

std::vector<std::byte> FileModel::earlier_data(const Operation& operation, const FileRange& range) const {
  std::vector<std::byte> data(range.length);
  Pattern({.run = run_tag_, .file = operation.generation, .writer = 1}, incompressible_).fill_bytes(range.offset, data);
  return data;
}

void FileModel::apply(const Operation& operation) {
  const FileRange where = reach(operation);
  if (operation.kind == OpKind::kTruncate) return bytes_.resize(where.offset);
  if (where.length == 0) return;
  const std::uint64_t end = where.offset + where.length;
  switch (operation.kind) {
    case OpKind::kWrite:
    case OpKind::kAppend:
    case OpKind::kMapWrite:
    case OpKind::kDirectWrite:
    case OpKind::kDirectParts:
    case OpKind::kRewrite:
    case OpKind::kStopped:
    case OpKind::kMapRewrite:
      grow(end);
      std::ranges::copy(data(operation, where), part(where.offset, where.length).begin());
      return;
    case OpKind::kAllocate:
    case OpKind::kUnshare:
      return grow(end);
    case OpKind::kCollapse:
      bytes_.erase(bytes_.begin() + static_cast<std::ptrdiff_t>(where.offset),
                   bytes_.begin() + static_cast<std::ptrdiff_t>(end));
      return;
    case OpKind::kInsert:
      bytes_.insert(bytes_.begin() + static_cast<std::ptrdiff_t>(where.offset), where.length, std::byte{0});
      return;
    case OpKind::kClone:
      twin_ = bytes_;
      return;
    case OpKind::kTwinWrite:
      if (end > twin_.size()) twin_.resize(end);
      std::ranges::copy(data(operation, where), twin_.begin() + static_cast<std::ptrdiff_t>(where.offset));
      return;
    case OpKind::kZeroRange:
      grow(end);
      std::ranges::fill(part(where.offset, where.length), std::byte{0});
      return;
    case OpKind::kPunch:
      if (where.offset < bytes_.size()) {
        std::ranges::fill(part(where.offset, std::min<std::uint64_t>(where.length, bytes_.size() - where.offset)),
                          std::byte{0});
      }
      return;
    case OpKind::kCopyRange:
    case OpKind::kCloneRange: {
      const auto source = part(where.offset, where.length);
      const std::vector<std::byte> copied(source.begin(), source.end());
      grow(target(operation) + where.length);
      std::ranges::copy(copied, part(target(operation), where.length).begin());
      return;
    }
    default:
      return;
  }
}

void FileModel::take_over(std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found) {
  put(bytes_, size, offset, found);
}

void FileModel::take_over_twin(std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found) {
  put(twin_, size, offset, found);
}

}  // namespace writecanary::probe
