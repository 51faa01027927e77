#include "core/run/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace writecanary {
namespace {

constexpr std::array<std::string_view, kCoveredOperationCount> kOperationNames = {
    "write",      "append", "read",       "mapped write",   "mapped read",  "truncate",
    "allocate",   "punch",  "zero range", "collapse range", "insert range", "unshare",
    "copy range", "clone",  "dedupe",     "splice",         "sync",         "evict"};
constexpr std::array<std::string_view, kCoveredWayCount> kWayNames = {
    "plain", "io_uring", "direct", "direct io_uring", "RWF_DSYNC", "RWF_NOWAIT", "held open"};
constexpr std::array<std::string_view, kCoveredStateCount> kStateNames = {
    "dirty", "clean", "hole", "preallocated", "shared", "mapped", "beyond the end"};
constexpr const char* kOperationsKey = "operations";

template <typename Function>
void for_each_row(const Function& function) {
  for (std::size_t operation = 0; operation < kCoveredOperationCount; ++operation) {
    for (std::size_t way = 0; way < kCoveredWayCount; ++way) {
      function(static_cast<CoveredOperation>(operation), static_cast<CoveredWay>(way));
    }
  }
}

template <std::size_t kCount>
std::size_t index_of(const std::array<std::string_view, kCount>& names, const std::string& name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) throw ProtocolError(fmt::format("coverage: nothing is called \"{}\"", name));
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::string_view to_string(CoveredOperation operation) {
  return kOperationNames.at(static_cast<std::size_t>(operation));
}
std::string_view to_string(CoveredWay way) { return kWayNames.at(static_cast<std::size_t>(way)); }
std::string_view to_string(CoveredState state) { return kStateNames.at(static_cast<std::size_t>(state)); }

std::string to_string(const CoverageCell& cell) {
  return fmt::format("{}, {}, {}", to_string(cell.operation), to_string(cell.way), to_string(cell.state));
}

bool can_be(CoveredOperation operation, CoveredWay way) {
  switch (operation) {
    case CoveredOperation::kWrite:
    case CoveredOperation::kAppend:
      return true;
    case CoveredOperation::kRead:
      return way != CoveredWay::kSynced && way != CoveredWay::kNowait;
    case CoveredOperation::kSplice:
      return way == CoveredWay::kRing;
    default:
      return way == CoveredWay::kPlain;
  }
}

bool can_be(const CoverageCell& cell) {
  if (!can_be(cell.operation, cell.way)) return false;
  if (cell.state != CoveredState::kBeyondEnd) return true;
  switch (cell.operation) {
    case CoveredOperation::kCollapse:
    case CoveredOperation::kInsert:
    case CoveredOperation::kClone:
    case CoveredOperation::kDedupe:
    case CoveredOperation::kSync:
    case CoveredOperation::kEvict:
      return false;
    default:
      return true;
  }
}

void Coverage::add(CoveredOperation operation, CoveredWay way, CoveredStates states) {
  Row& counted = row(operation, way);
  ++counted[kAll];
  for (std::size_t state = 0; state < kCoveredStateCount; ++state) {
    if (states.has(static_cast<CoveredState>(state))) ++counted.at(state);
  }
}

void Coverage::add(const Coverage& other) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    for (std::size_t j = 0; j < rows_.at(i).size(); ++j) rows_.at(i).at(j) += other.rows_.at(i).at(j);
  }
}

std::vector<CoverageCell> Coverage::empty_cells() const {
  std::vector<CoverageCell> empty;
  for_each_row([&](CoveredOperation operation, CoveredWay way) {
    for (std::size_t state = 0; state < kCoveredStateCount; ++state) {
      const CoverageCell cell{operation, way, static_cast<CoveredState>(state)};
      if (can_be(cell) && count(cell) == 0) empty.push_back(cell);
    }
  });
  return empty;
}

void to_json(nlohmann::json& out, const Coverage& coverage) {
  out = nlohmann::json::object();
  for_each_row([&](CoveredOperation operation, CoveredWay way) {
    const auto& counted = coverage.row(operation, way);
    if (counted[Coverage::kAll] == 0) return;
    nlohmann::json& cells = out[std::string(to_string(operation))][std::string(to_string(way))];
    cells[kOperationsKey] = counted[Coverage::kAll];
    for (std::size_t state = 0; state < kCoveredStateCount; ++state) {
      if (counted.at(state) != 0) cells[std::string(kStateNames.at(state))] = counted.at(state);
    }
  });
}

void from_json(const nlohmann::json& in, Coverage& coverage) {
  coverage = {};
  try {
    for (const auto& [operation, ways] : in.items()) {
      for (const auto& [way, cells] : ways.items()) {
        auto& counted = coverage.row(static_cast<CoveredOperation>(index_of(kOperationNames, operation)),
                                     static_cast<CoveredWay>(index_of(kWayNames, way)));
        for (const auto& [state, count] : cells.items()) {
          const std::size_t at = state == kOperationsKey ? Coverage::kAll : index_of(kStateNames, state);
          counted.at(at) = count.template get<std::uint64_t>();
        }
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw ProtocolError(fmt::format("coverage: {}", error.what()));
  }
}

}  // namespace writecanary
