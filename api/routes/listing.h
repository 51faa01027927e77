// One page of a listing, {"items": [...], "next_cursor": text or null}.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "api/documents/cursor.h"

namespace writecanary::api {

// `fetch(filter)` gives at most filter.limit rows with ids below filter.before_id, newest first; `document(row)` their
// JSON. Whether there is another page is asked of the database, so that the last page is known as the last.
template <typename Filter, typename Fetch, typename Document>
nlohmann::json listing_document(const std::string& listing, Filter filter, const Fetch& fetch,
                                const Document& document) {
  nlohmann::json answer = {{"items", nlohmann::json::array()}, {"next_cursor", nullptr}};
  const auto rows = fetch(filter);
  for (const auto& row : rows) answer["items"].push_back(document(row));
  if (static_cast<int>(rows.size()) < filter.limit) return answer;
  filter.before_id = rows.back().id;
  filter.limit = 1;
  if (!fetch(filter).empty()) answer["next_cursor"] = encode_cursor(listing, rows.back().id);
  return answer;
}

}  // namespace writecanary::api
