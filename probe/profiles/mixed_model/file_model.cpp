#include "probe/profiles/mixed_model/file_model.h"

#include <fmt/format.h>

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
constexpr std::array<KindRow, 12> kKinds = {{{OpKind::kWrite, "write", 24},
                                             {OpKind::kAppend, "append", 8},
                                             {OpKind::kRead, "read", 20},
                                             {OpKind::kTruncate, "truncate", 8},
                                             {OpKind::kAllocate, "allocate", 4},
                                             {OpKind::kPunch, "punch", 7},
                                             {OpKind::kZeroRange, "zero range", 5},
                                             {OpKind::kSync, "fsync", 2},
                                             {OpKind::kEvict, "evict", 3},
                                             {OpKind::kCopyRange, "copy range", 5},
                                             {OpKind::kMapWrite, "mapped write", 7},
                                             {OpKind::kMapRead, "mapped read", 7}}};

OpKind kind_of(std::uint64_t number) {
  unsigned at = static_cast<unsigned>(number % 100);
  for (const KindRow& row : kKinds) {
    if (at < row.weight) return row.kind;
    at -= row.weight;
  }
  return OpKind::kRead;
}

bool can_use_ring(OpKind kind) { return kind == OpKind::kWrite || kind == OpKind::kAppend || kind == OpKind::kRead; }

}  // namespace

std::string to_string(const Operation& operation) {
  const char* name = kKinds.at(static_cast<std::size_t>(operation.kind)).name;
  switch (operation.kind) {
    case OpKind::kTruncate:
      return fmt::format("truncate to {}", operation.offset);
    case OpKind::kSync:
    case OpKind::kEvict:
      return name;
    case OpKind::kAppend:
      return fmt::format("append {}{}", operation.length, operation.ring ? " (io_uring)" : "");
    case OpKind::kCopyRange:
      return fmt::format("copy {}+{} to {}", operation.offset, operation.length, operation.target);
    default:
      return fmt::format("{} {}+{}{}", name, operation.offset, operation.length, operation.ring ? " (io_uring)" : "");
  }
}

std::vector<Operation> plan_operations(std::uint64_t seed, std::size_t count, std::uint64_t size_max) {
  std::vector<Operation> operations;
  operations.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto random = [&](std::uint64_t purpose) { return derive_seed(seed, i * 8 + purpose); };
    Operation& operation = operations.emplace_back();
    operation.kind = kind_of(random(0));
    operation.offset = random(1) % size_max;
    // Small ones meet in a page, large ones cover several.
    const std::uint64_t longest = random(2) % 3 == 0 ? size_max / 4 : std::min<std::uint64_t>(size_max / 4, 6000);
    operation.length = 1 + random(3) % longest;
    operation.target = random(4) % size_max;
    operation.generation = static_cast<std::uint16_t>(i % kFileTagMax + 1);
    operation.ring = can_use_ring(operation.kind) && random(5) % 2 == 0;
  }
  return operations;
}

FileRange FileModel::reach(const Operation& operation) const {
  const std::uint64_t size = bytes_.size();
  const auto within = [&](std::uint64_t offset, std::uint64_t end) {
    return offset < end ? FileRange{offset, std::min(operation.length, end - offset)} : FileRange{};
  };
  switch (operation.kind) {
    case OpKind::kAppend:
      return within(size, size_max_);
    case OpKind::kWrite:
    case OpKind::kAllocate:
    case OpKind::kZeroRange:
    case OpKind::kPunch:
      return within(operation.offset, size_max_);
    case OpKind::kCopyRange: {
      FileRange source = within(operation.offset, size);
      if (operation.target < size_max_) source.length = std::min(source.length, size_max_ - operation.target);
      const std::uint64_t apart =
          std::max(operation.offset, operation.target) - std::min(operation.offset, operation.target);
      source.length = std::min(source.length, apart);  // copy_file_range(2) refuses overlap
      return source;
    }
    case OpKind::kTruncate:
      return {std::min(operation.offset, size_max_), 0};
    case OpKind::kSync:
    case OpKind::kEvict:
      return {};
    default:
      return within(operation.offset, size);
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
      grow(end);
      std::ranges::copy(data(operation, where), part(where.offset, where.length).begin());
      return;
    case OpKind::kAllocate:
      return grow(end);
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

}  // namespace writecanary::probe
