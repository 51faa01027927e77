// JSON documents as text: the one way in which they leave a program of ours, whatever bytes somebody put into them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace writecanary {

// The document on one line, or on many with this indentation. What in it is not UTF-8 is written \xNN
// (core/base/system_text.h). Never throws for what is in it.
std::string json_text(const nlohmann::json& document, int indent = -1);

// The value in ASCII, cut to what a person wants to see of it in an error.
std::string json_excerpt(const nlohmann::json& value);

}  // namespace writecanary
