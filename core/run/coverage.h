// What the input of a run covered: which operations it made, in which way, on a part of a file in which state.
//
// Counted by the probe where it makes the operation, and asked of the kernel there; nothing is assumed. An operation
// may meet several states at once, and one of which the kernel tells nothing counts for none. What has never been
// counted is an empty cell: an input that no run has tried.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

enum class CoveredOperation : std::uint8_t {
  kWrite,
  kAppend,
  kRead,
  kMappedWrite,
  kMappedRead,
  kTruncate,
  kAllocate,
  kPunch,
  kZeroRange,
  kCollapse,
  kInsert,
  kUnshare,
  kCopyRange,
  kClone,
  kDedupe,
  kSplice,
  kSync,
  kEvict,
};
inline constexpr std::size_t kCoveredOperationCount = static_cast<std::size_t>(CoveredOperation::kEvict) + 1;

// The flag, or the interface, that an operation was made with.
enum class CoveredWay : std::uint8_t { kPlain, kRing, kDirect, kRingDirect, kSynced, kNowait, kHeld };
inline constexpr std::size_t kCoveredWayCount = static_cast<std::size_t>(CoveredWay::kHeld) + 1;

// Of the part of the file that it is made on, before it is.
enum class CoveredState : std::uint8_t {
  kDirty,         // not written back
  kClean,         // written, and nothing of it dirty
  kHole,          // nothing allocated
  kPreallocated,  // allocated and not written
  kShared,        // with another file
  kMapped,        // into the memory of this process
  kBeyondEnd,     // behind the end of the file, or across it
};
inline constexpr std::size_t kCoveredStateCount = static_cast<std::size_t>(CoveredState::kBeyondEnd) + 1;

std::string_view to_string(CoveredOperation operation);
std::string_view to_string(CoveredWay way);
std::string_view to_string(CoveredState state);

class CoveredStates {
 public:
  CoveredStates() = default;
  CoveredStates(std::initializer_list<CoveredState> states) {
    for (const CoveredState state : states) add(state);
  }
  void add(CoveredState state) { bits_ |= bit(state); }
  bool has(CoveredState state) const { return (bits_ & bit(state)) != 0; }

 private:
  static std::uint8_t bit(CoveredState state) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(state)); }
  std::uint8_t bits_ = 0;
};

struct CoverageCell {
  CoveredOperation operation = CoveredOperation::kWrite;
  CoveredWay way = CoveredWay::kPlain;
  CoveredState state = CoveredState::kDirty;
};
// "write, direct, hole".
std::string to_string(const CoverageCell& cell);
// Whether there is such an operation: a truncation is not direct, and nothing is collapsed behind the end.
bool can_be(CoveredOperation operation, CoveredWay way);
bool can_be(const CoverageCell& cell);

class Coverage {
 public:
  void add(CoveredOperation operation, CoveredWay way, CoveredStates states);
  void add(const Coverage& other);
  // Operations, whatever they met.
  std::uint64_t operations(CoveredOperation operation, CoveredWay way) const { return row(operation, way)[kAll]; }
  std::uint64_t count(const CoverageCell& cell) const {
    return row(cell.operation, cell.way).at(static_cast<std::size_t>(cell.state));
  }
  // All cells that can be and were never counted, in the order of the enumerators.
  std::vector<CoverageCell> empty_cells() const;

 private:
  friend void to_json(nlohmann::json& out, const Coverage& coverage);
  friend void from_json(const nlohmann::json& in, Coverage& coverage);
  static constexpr std::size_t kAll = kCoveredStateCount;
  using Row = std::array<std::uint64_t, kCoveredStateCount + 1>;
  Row& row(CoveredOperation operation, CoveredWay way) {
    return rows_.at(static_cast<std::size_t>(operation) * kCoveredWayCount + static_cast<std::size_t>(way));
  }
  const Row& row(CoveredOperation operation, CoveredWay way) const {
    return rows_.at(static_cast<std::size_t>(operation) * kCoveredWayCount + static_cast<std::size_t>(way));
  }

  std::array<Row, kCoveredOperationCount * kCoveredWayCount> rows_{};
};

// {"write": {"direct": {"operations": 12, "hole": 3}}}, only what was counted.
void to_json(nlohmann::json& out, const Coverage& coverage);
void from_json(const nlohmann::json& in, Coverage& coverage);

}  // namespace writecanary
