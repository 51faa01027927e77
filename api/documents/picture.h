// What a picture of a finding is drawn from: the segments of the damaged file around it, the bytes at their boundaries
// and the writes that they belong to, cut out of the evidence that was kept (docs/evidence.md).
//
// Nothing is drawn or judged here. A file that was not kept, because earlier ones of its run were, has no segments; the
// finding itself then has to do.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/run/finding.h"

namespace writecanary::api {

// `evidence` is the document of the finding's file, or null when it was not kept.
nlohmann::json picture_document(const Finding& finding, const nlohmann::json* evidence);

}  // namespace writecanary::api
