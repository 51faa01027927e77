// An incident with all that is known of it: the findings that are kept, its days, and the known issues that fit.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/loop/live_state.h"
#include "storage/reader/reader.h"

namespace writecanary::api {

// With its last days, as listings have it.
nlohmann::json incident_item(const storage::IncidentRow& incident, const storage::Reader& reader);
nlohmann::json incident_document(const storage::IncidentRow& incident, const storage::Reader& reader,
                                 const LiveState& live);

}  // namespace writecanary::api
