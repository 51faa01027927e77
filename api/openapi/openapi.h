// The description of the API (OpenAPI 3.1), made from the very table that routes requests.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "api/routes/router.h"

namespace writecanary::api {

nlohmann::json openapi_document(const std::vector<Endpoint>& routes);

}  // namespace writecanary::api
