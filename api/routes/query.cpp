#include "api/routes/query.h"

#include <charconv>

#include "api/documents/cursor.h"
#include "api/refusal/problem.h"
#include "api/routes/router.h"
#include "core/base/limits.h"
#include "core/text/units.h"

namespace writecanary::api {

std::optional<std::string> Query::text(const std::string& name) {
  const auto found = params_.find(name);
  if (found == params_.end()) return std::nullopt;
  if (found->second.empty()) {
    fail(name, "", "a value; leave the parameter out to get everything");
    return std::nullopt;
  }
  return found->second;
}

std::optional<bool> Query::flag(const std::string& name) {
  const auto value = text(name);
  if (!value || *value == "true" || *value == "false") return value ? std::optional(*value == "true") : std::nullopt;
  fail_choice(name, *value, {"true", "false"});
  return std::nullopt;
}

std::optional<std::int64_t> Query::id(const std::string& name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto id = parse_id(*value);
  if (!id) fail(name, *value, "a positive number");
  return id;
}

std::optional<std::int64_t> Query::timestamp_ms(const std::string& name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto time = parse_timestamp_ms(*value);
  if (!time) fail(name, *value, "RFC 3339 (2026-06-04T14:46:33Z) or unix seconds");
  return time;
}

std::optional<std::int64_t> Query::cursor(std::string_view listing) {
  const auto value = text("cursor");
  if (!value) return std::nullopt;
  const auto before = decode_cursor(listing, *value);
  if (!before) fail("cursor", *value, "next_cursor of an earlier answer of this very listing");
  return before;
}

std::optional<std::string> Query::place(std::string_view listing) {
  const auto value = text("cursor");
  if (!value) return std::nullopt;
  auto after = decode_place(listing, *value);
  if (!after) fail("cursor", *value, "next_cursor of an earlier answer of this very listing");
  return after;
}

int Query::limit() {
  const auto value = text("limit");
  if (!value) return kPageLimitDefault;
  int limit = 0;
  const auto* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, limit);
  if (error == std::errc{} && stop == end && limit >= 1 && limit <= kPageLimitMax) return limit;
  fail("limit", *value, "a number from 1 to " + std::to_string(kPageLimitMax));
  return kPageLimitDefault;
}

std::optional<Refusal> Query::refusal() const {
  if (errors_.empty()) return std::nullopt;
  return invalid_query(errors_);
}

void Query::fail(const std::string& name, const std::string& value, const std::string& allowed) {
  errors_.push_back({name, "\"" + value + "\" is not possible; expected " + allowed});
}

void Query::fail_choice(const std::string& name, const std::string& value, const std::vector<std::string>& names) {
  fail(name, value, "one of " + quoted_list(names));
}

}  // namespace writecanary::api
