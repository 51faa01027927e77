#include "storage/database/columns.h"

#include <fmt/format.h>

#include "storage/database/storage_error.h"

namespace writecanary::storage {

namespace {

template <typename T>
T known(std::optional<T> value, const char* what, const std::string& text) {
  if (!value)
    throw StorageError(fmt::format("the database has the {} \"{}\", which this version does not know", what, text));
  return *value;
}

}  // namespace

void parse_name(const std::string& text, Verdict& value) { value = known(parse_verdict(text), "verdict", text); }
void parse_name(const std::string& text, RunState& value) { value = known(parse_run_state(text), "run state", text); }
void parse_name(const std::string& text, FindingKind& value) {
  value = known(parse_finding_kind(text), "finding kind", text);
}

}  // namespace writecanary::storage
