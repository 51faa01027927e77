// The JSON documents that join what the loop knows right now (LiveState) with what the database holds.
// Runs and findings alone are storage/tables/documents.h.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "api/loop/live_state.h"
#include "core/base/clock.h"
#include "storage/reader/reader.h"

namespace writecanary::api {

// A run with its live counters and progress while it is running.
nlohmann::json run_document(storage::RunRow row, const LiveState& live, const Clock& clock);
nlohmann::json target_document(const LiveTarget& target, const std::vector<storage::TotalsRow>& totals);
nlohmann::json kernel_document(const storage::KernelRow& row, const LiveState& live);
nlohmann::json status_document(const LiveState& live, const storage::Reader& reader, const Clock& clock);

}  // namespace writecanary::api
