#include "daemon/config/toml_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/base/system_text.h"
#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

std::string shown(const toml::node& node) {
  if (const auto* text = node.as_string()) return fmt::format("\"{}\"", text->get());
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  std::ostringstream out;
  node.visit([&out](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) out << value;
  });
  return out.str();
}

}  // namespace

Position position_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

TomlTable::TomlTable(const toml::table& table, std::string prefix, std::map<std::string, Position>& where,
                     std::vector<ConfigIssue>& issues)
    : table_(table), prefix_(std::move(prefix)), where_(where), issues_(issues) {}

const toml::node* TomlTable::take(const char* key) {
  known_.emplace_back(key);
  const auto* node = table_.get(key);
  if (node != nullptr) where_[prefix_ + key] = position_of(node->source());
  return node;
}

void TomlTable::complain(const toml::node& node, const char* key, const std::string& expected) {
  issues_.push_back({position_of(node.source()), fmt::format("{}: expected {}, got {}", key, expected, shown(node))});
}

void TomlTable::read(const char* key, Text out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  if (const auto* text = node->as_string()) {
    *out.value = text->get();
  } else {
    complain(*node, key, "a text in quotes");
  }
}

void TomlTable::read(const char* key, Path out) {
  std::string text = system_name(*out.value);
  read(key, Text{&text});
  *out.value = system_bytes(text);
}

void TomlTable::read(const char* key, Flag out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  if (const auto* value = node->as_boolean()) {
    *out.value = value->get();
  } else {
    complain(*node, key, "true or false");
  }
}

void TomlTable::read(const char* key, Count out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= 0) {
    *out.value = static_cast<std::uint64_t>(value->get());
  } else {
    complain(*node, key, "a whole number, 0 or more");
  }
}

void TomlTable::read(const char* key, Number out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  if (const auto* value = node->as_floating_point(); value != nullptr && value->get() == value->get()) {
    *out.value = value->get();
  } else if (const auto* whole = node->as_integer()) {
    *out.value = static_cast<double>(whole->get());
  } else {
    complain(*node, key, "a number");
  }
}

void TomlTable::read(const char* key, Size out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  const auto* bytes = node->as_integer();
  if (const auto parsed = text != nullptr ? parse_size(text->get()) : std::nullopt) {
    *out.value = *parsed;
  } else if (bytes != nullptr && bytes->get() >= 0) {
    *out.value = static_cast<std::uint64_t>(bytes->get());
  } else {
    complain(*node, key, "a size such as \"64MiB\"");
  }
}

void TomlTable::read(const char* key, Duration out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (const auto parsed = text != nullptr ? parse_duration(text->get()) : std::nullopt) {
    *out.value = *parsed;
  } else {
    complain(*node, key, "a duration such as \"15m\" (units ms, s, m, h, d)");
  }
}

void TomlTable::read(const char* key, Percent out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (const auto parsed = text != nullptr ? parse_percent(text->get()) : std::nullopt) {
    *out.value = *parsed;
  } else {
    complain(*node, key, "a percentage such as \"10%\"");
  }
}

void TomlTable::read(const char* key, Space out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (const auto share = text != nullptr ? parse_percent(text->get()) : std::nullopt) {
    *out.value = {0, *share};
  } else if (const auto bytes = text != nullptr ? parse_size(text->get()) : std::nullopt) {
    *out.value = {*bytes, 0};
  } else {
    complain(*node, key, "a percentage such as \"5%\" or a size such as \"10GiB\"");
  }
}

void TomlTable::read(const char* key, Texts out) {
  const auto* node = take(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) return complain(*node, key, "an array of texts such as [\"append\"]");
  std::vector<std::string> values;
  for (const auto& element : *array) {
    if (const auto* text = element.as_string()) {
      values.push_back(text->get());
    } else {
      return complain(element, key, "an array of texts");
    }
  }
  *out.value = std::move(values);
}

void TomlTable::integers(std::map<std::string, std::int64_t>& out) {
  for (const auto& [key, node] : table_) {
    const std::string name{key.str()};
    take(name.c_str());
    if (const auto* value = node.as_integer()) {
      out[name] = value->get();
    } else {
      complain(node, name.c_str(), "a whole number");
    }
  }
}

const toml::table* TomlTable::table(const char* key) {
  const auto* node = take(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) complain(*node, key, fmt::format("a table, written [{}{}]", prefix_, key));
  return node->as_table();
}

std::vector<const toml::table*> TomlTable::tables(const char* key) {
  const auto* node = take(key);
  if (node == nullptr) return {};
  const auto* array = node->as_array();
  std::vector<const toml::table*> found;
  if (array != nullptr) {
    for (const auto& element : *array) found.push_back(element.as_table());
  }
  if (array == nullptr || std::ranges::find(found, nullptr) != found.end()) {
    complain(*node, key, fmt::format("tables, written [[{}]]", key));
    return {};
  }
  return found;
}

void TomlTable::refuse_others() {
  std::ranges::sort(known_);
  const auto list = fmt::format("{}", fmt::join(known_, ", "));
  for (const auto& [key, node] : table_) {
    const std::string name{key.str()};
    if (std::ranges::binary_search(known_, name)) continue;
    issues_.push_back({position_of(key.source()), fmt::format("unknown key \"{}\". Known here: {}", name, list)});
  }
}

}  // namespace writecanary::daemon
