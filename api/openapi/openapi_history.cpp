// The schemas of what the page's charts, strips and pictures are drawn from (openapi_schemas.h).
#include "api/openapi/openapi_schemas.h"

namespace writecanary::api {
namespace {

using nlohmann::json;
using schema::boolean, schema::integer, schema::list_of, schema::map_of, schema::object, schema::one_of,
    schema::or_null, schema::reference, schema::text, schema::time, schema::verdict;

json activity_schema() {
  return object({{"from", time()},
                 {"target", or_null(text())},
                 {"profile", or_null(text())},
                 {"kernel_release", text()},
                 {"runs_by_verdict", map_of(integer())},
                 {"writes", integer()},
                 {"exposures", integer()},
                 {"finding_counts", map_of(integer())}});
}

json history_schema() {
  const json mark = object({{"id", integer(1)},
                            {"verdict", verdict()},
                            {"finished_at", time()},
                            {"exposures", integer()},
                            {"findings", integer()}});
  return object({{"target", text()}, {"profile", text()}, {"runs", list_of(mark)}});
}

json picture_schema() {
  return object({{"file", object({{"name", text()}, {"size_bytes", or_null(integer())}})},
                 {"page_bytes", integer(1)},
                 {"kept", boolean()},
                 {"segments_total", integer()},
                 {"segments", list_of({{"type", "object"}})},
                 {"boundaries", list_of({{"type", "object"}})},
                 {"writes", list_of(reference("Write"))}});
}

}  // namespace

json history_schemas() {
  return {{"Picture", picture_schema()},
          {"Activity", activity_schema()},
          {"ActivityList", object({{"since", time()},
                                   {"until", time()},
                                   {"step_seconds", integer(1)},
                                   {"items", list_of(reference("Activity"))}})},
          {"History", history_schema()},
          {"HistoryPage", object({{"items", list_of(reference("History"))}, {"next_cursor", or_null(text())}})}};
}

}  // namespace writecanary::api
