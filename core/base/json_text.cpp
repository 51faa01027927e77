#include "core/base/json_text.h"

#include <nlohmann/json.hpp>

#include "core/base/system_text.h"

namespace writecanary {
namespace {

using nlohmann::json;

constexpr std::size_t kExcerptBytes = 60;

json with_valid_text(const json& value) {
  if (value.is_string()) return valid_utf8(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  json made = value.is_array() ? json::array() : json::object();
  for (const auto& [key, item] : value.items()) {
    if (value.is_array()) {
      made.push_back(with_valid_text(item));
    } else {
      made[valid_utf8(key)] = with_valid_text(item);
    }
  }
  return made;
}

}  // namespace

std::string json_text(const json& document, int indent) {
  try {
    return document.dump(indent);
  } catch (const json::type_error&) {  // not UTF-8, which is rare
    return with_valid_text(document).dump(indent);
  }
}

std::string json_excerpt(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kExcerptBytes) text = text.substr(0, kExcerptBytes) + "...";
  return text;
}

}  // namespace writecanary
