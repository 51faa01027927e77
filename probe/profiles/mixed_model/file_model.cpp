#include "probe/profiles/mixed_model/file_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

struct KindRow {
  OpKind kind;
  const char* name;
  unsigned weight;  // how often it is planned, in hundredths
};
constexpr std::array<KindRow, kOpKindCount> kKinds = {{{OpKind::kWrite, "write", 17},
                                                       {OpKind::kAppend, "append", 5},
                                                       {OpKind::kRead, "read", 13},
                                                       {OpKind::kTruncate, "truncate", 9},
                                                       {OpKind::kAllocate, "allocate", 4},
                                                       {OpKind::kPunch, "punch", 5},
                                                       {OpKind::kZeroRange, "zero range", 4},
                                                       {OpKind::kSync, "fsync", 2},
                                                       {OpKind::kEvict, "evict", 5},
                                                       {OpKind::kCopyRange, "copy range", 3},
                                                       {OpKind::kMapWrite, "mapped write", 7},
                                                       {OpKind::kMapRead, "mapped read", 6},
                                                       {OpKind::kDirectWrite, "direct write", 7},
                                                       {OpKind::kDirectRead, "direct read", 6},
                                                       {OpKind::kCollapse, "collapse range", 1},
                                                       {OpKind::kInsert, "insert range", 1},
                                                       {OpKind::kClone, "clone", 2},
                                                       {OpKind::kTwinWrite, "write to the clone", 2},
                                                       {OpKind::kUnshare, "unshare", 1},
                                                       {OpKind::kStoreBehind, "store behind the end", 0}}};
constexpr std::uint64_t kEdgeBytes = 4096;  // a block on most filesystems, and several sectors
constexpr std::uint64_t kAroundEdge = 20;   // bytes before or behind it
constexpr std::uint64_t kAroundEnd = 9000;  // of these most lie before the end
constexpr std::uint64_t kBehindEnd = 3000;
constexpr unsigned kStoreBehindEvery = 20;  // operations, when they are asked for

OpKind kind_of(std::uint64_t number) {
  unsigned at = static_cast<unsigned>(number % 100);
  for (const KindRow& row : kKinds) {
    if (at < row.weight) return row.kind;
    at -= row.weight;
  }
  return OpKind::kRead;
}

void put(std::vector<std::byte>& bytes, std::uint64_t size, std::uint64_t offset, std::span<const std::byte> found) {
  bytes.resize(size);
  if (offset >= size) return;
  std::ranges::copy(found.first(std::min<std::uint64_t>(found.size(), size - offset)),
                    bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

bool can_use_ring(OpKind kind) { return kind == OpKind::kWrite || kind == OpKind::kAppend || kind == OpKind::kRead; }

}  // namespace

std::string to_string(const Operation& operation) {
  const char* name = kKinds.at(static_cast<std::size_t>(operation.kind)).name;
  switch (operation.kind) {
    case OpKind::kTruncate:
      return operation.near_end ? "truncate near the end" : fmt::format("truncate to {}", operation.offset);
    case OpKind::kSync:
    case OpKind::kEvict:
    case OpKind::kClone:
    case OpKind::kStoreBehind:
      return name;
    case OpKind::kAppend:
      return fmt::format("append {}{}", operation.length, operation.ring ? " (io_uring)" : "");
    case OpKind::kCopyRange:
      return fmt::format("copy {}+{} to {}", operation.offset, operation.length, operation.target);
    default:
      return fmt::format("{} {}{}+{}{}", name, operation.near_end ? "near the end " : "", operation.offset,
                         operation.length, operation.ring ? " (io_uring)" : "");
  }
}

std::vector<Operation> plan_operations(std::uint64_t seed, std::size_t count, std::uint64_t size_max,
                                       bool stores_behind) {
  std::vector<Operation> operations;
  operations.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto random = [&](std::uint64_t purpose) { return derive_seed(seed, i * 8 + purpose); };
    Operation& operation = operations.emplace_back();
    operation.kind = kind_of(random(0));
    if (stores_behind && random(6) % kStoreBehindEvery == 0) operation.kind = OpKind::kStoreBehind;
    operation.offset = random(1) % size_max;
    const std::uint64_t where = random(7);
    operation.near_end = where % 4 == 0;
    if (where % 4 == 1) {
      const std::uint64_t edge = operation.offset / kEdgeBytes * kEdgeBytes;
      operation.offset = std::min(edge + (where >> 8) % kAroundEdge, size_max - 1);
      operation.offset -= std::min(operation.offset, kAroundEdge / 2);
    }
    // Small ones meet in a page, large ones cover several.
    const std::uint64_t longest = random(2) % 3 == 0 ? size_max / 4 : std::min<std::uint64_t>(size_max / 4, 6000);
    operation.length = 1 + random(3) % longest;
    operation.target = random(4) % size_max;
    operation.generation = static_cast<std::uint16_t>(i % kFileTagMax + 1);
    operation.ring = can_use_ring(operation.kind) && random(5) % 2 == 0;
  }
  return operations;
}

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
    case OpKind::kDirectRead: {
      const std::uint64_t unit = limits_.direct_alignment;
      const std::uint64_t begin = offset / unit * unit;
      // A read ends with the file's last block: over preallocation behind the end that is still delayed, XFS answers
      // EIO (6.18, iomap_dio_iter(): IOMAP_DELALLOC).
      const bool reads = operation.kind == OpKind::kDirectRead;
      const std::uint64_t limit = reads ? (size + unit - 1) / unit * unit : size_max_ / unit * unit;
      if (begin >= (reads ? size : limit)) return {};
      return {begin, std::min((operation.length + unit - 1) / unit * unit, limit > begin ? limit - begin : unit)};
    }
    case OpKind::kCollapse:
    case OpKind::kInsert:
      return reach_of_blocks(operation);
    case OpKind::kClone:
      return {0, size};
    case OpKind::kTwinWrite:
      return twin_.empty() ? FileRange{} : within(place(operation, twin_.size()), size_max_);
    case OpKind::kStoreBehind: {
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
    case OpKind::kCopyRange: {
      const auto source = part(where.offset, where.length);
      const std::vector<std::byte> copied(source.begin(), source.end());
      grow(operation.target + where.length);
      std::ranges::copy(copied, part(operation.target, where.length).begin());
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
