// Reads documents of the API for showing them: a field that is missing, null or of another type is shown as empty
// rather than refused, so that an older command line can look at a newer daemon.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/terminal/text.h"
#include "core/base/clock.h"

namespace writecanary::cli {

std::string text_field(const nlohmann::json& object, const char* key);
std::uint64_t count_field(const nlohmann::json& object, const char* key);
double number_field(const nlohmann::json& object, const char* key);
bool flag_field(const nlohmann::json& object, const char* key);
// An object or list inside; an empty object when it is not there.
const nlohmann::json& inner(const nlohmann::json& object, const char* key);
// How long ago the time in the field was, or `never`.
std::string time_field(const nlohmann::json& object, const char* key, SystemTime now, const std::string& never);
// {"torn": 3, "missing": 1} as "torn 3, missing 1", in the order of the kinds; "none" when all are zero.
std::string counts_field(const nlohmann::json& object, const char* key);
// What colour a verdict in words gets.
Style style_of_verdict(const std::string& verdict);

}  // namespace writecanary::cli
