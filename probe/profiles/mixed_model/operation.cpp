#include "probe/profiles/mixed_model/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

struct KindRow {
  OpKind kind;
  const char* name;
  unsigned weight;  // how often it is planned, beside the others
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
                                                       {OpKind::kCopyRange, "copy", 4},
                                                       {OpKind::kMapWrite, "mapped write", 7},
                                                       {OpKind::kMapRead, "mapped read", 6},
                                                       {OpKind::kDirectWrite, "direct write", 7},
                                                       {OpKind::kDirectRead, "direct read", 6},
                                                       {OpKind::kCollapse, "collapse range", 3},
                                                       {OpKind::kInsert, "insert range", 3},
                                                       {OpKind::kClone, "clone", 2},
                                                       {OpKind::kTwinWrite, "write to the clone", 2},
                                                       {OpKind::kUnshare, "unshare", 3},
                                                       {OpKind::kStoreBehind, "store behind the end", 0},
                                                       {OpKind::kStoreSynced, "store behind the end and fsync", 3},
                                                       {OpKind::kDirectParts, "direct writes at once", 4},
                                                       {OpKind::kRewrite, "write during write-back", 4},
                                                       {OpKind::kCloneRange, "clone range", 3},
                                                       {OpKind::kDedupe, "deduplicate", 2},
                                                       {OpKind::kStopped, "stopped write", 4},
                                                       {OpKind::kAllocateStopped, "interrupted allocation", 3},
                                                       {OpKind::kMapRewrite, "mapped rewrite", 4}}};
constexpr std::uint64_t kEdgeBytes = 4096;  // a block on most filesystems, and several sectors
constexpr std::uint64_t kAroundEdge = 20;   // bytes before or behind it
// Small files mostly see what leaves them within their inode, and every second one nothing else.
constexpr std::array kSmallKinds = {OpKind::kWrite, OpKind::kRead, OpKind::kTruncate, OpKind::kEvict};
constexpr unsigned kStoreBehindEvery = 20;  // operations, when they are asked for
constexpr unsigned kWeights = std::accumulate(kKinds.begin(), kKinds.end(), 0U,
                                              [](unsigned sum, const KindRow& row) { return sum + row.weight; });

OpKind kind_of(std::uint64_t number) {
  auto at = static_cast<unsigned>(number % kWeights);
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
      return operation.near_end ? "truncate near the end" : fmt::format("truncate to {}", operation.offset);
    case OpKind::kSync:
    case OpKind::kEvict:
    case OpKind::kClone:
    case OpKind::kStoreBehind:
    case OpKind::kStoreSynced:
    case OpKind::kAllocateStopped:
      return name;
    case OpKind::kAppend:
      return fmt::format("append {}{}", operation.length, operation.ring ? " (io_uring)" : "");
    case OpKind::kCopyRange:
    case OpKind::kCloneRange:
      return fmt::format("{} {}+{} to {}", name, operation.offset, operation.length, operation.target);
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
    if (size_max < kEdgeBytes && (seed % 2 == 0 || random(6) % 2 == 0))
      operation.kind = kSmallKinds.at(random(0) % kSmallKinds.size());
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
    std::uint64_t longest = random(2) % 3 == 0 ? size_max / 4 : std::min<std::uint64_t>(size_max / 4, 6000);
    if (size_max < kEdgeBytes) longest = size_max;
    operation.length = 1 + random(3) % longest;
    operation.target = random(4) % size_max;
    if (operation.kind == OpKind::kCopyRange && random(6) % 2 == 0) {
      operation.offset -= operation.offset % kEdgeBytes;
      operation.target -= operation.target % kEdgeBytes;
    }
    operation.generation = static_cast<std::uint16_t>(i % kFileTagMax + 1);
    operation.ring = can_use_ring(operation.kind) && random(5) % 2 == 0;
  }
  return operations;
}

}  // namespace writecanary::probe
