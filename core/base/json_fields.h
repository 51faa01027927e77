// Reads the fields of one JSON object strictly and names what is wrong with one:
// `run spec: duration_ms: expected a non-negative integer, got "ten"`.
//
// For the from_json functions of core/ and their like. It converts nothing: a number in quotes is not a number.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

class JsonFields {
 public:
  // `what` names the object in errors ("run spec"). The object must outlive this. Throws ProtocolError when it is not
  // an object; so does every method below for its field.
  JsonFields(const nlohmann::json& object, std::string what);

  // The field must be there.
  template <typename T>
  void require(const char* key, T& out) {
    read(key, required(key), out);
  }

  // A missing field leaves `out` as it is.
  template <typename T>
  void accept(const char* key, T& out) {
    if (const nlohmann::json* value = find(key)) read(key, *value, out);
  }

  // Null or missing is no value.
  template <typename T>
  void accept_null(const char* key, std::optional<T>& out) {
    const nlohmann::json* value = find(key);
    out.reset();
    if (value != nullptr && !value->is_null()) read(key, *value, out.emplace());
  }

  // A value that `parse` knows how to read, as the JSON that it is; nothing from it is an error.
  template <typename T, typename Parse>
  void require_parsed(const char* key, T& out, Parse parse, std::string_view expected) {
    const nlohmann::json& value = required(key);
    const auto parsed = parse(value);
    if (!parsed) fail(key, expected, value);
    out = *parsed;
  }

  // A string that `parse` turns into a value; `expected` says in errors what there is to choose from.
  template <typename T, typename Parse>
  void require_name(const char* key, T& out, Parse parse, std::string_view expected) {
    const nlohmann::json& value = required(key);
    const auto parsed = parse(value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : "");
    if (!parsed) fail(key, expected, value);
    out = *parsed;
  }

  // Every field that was not asked for is an error.
  void refuse_others() const;

  [[noreturn]] void fail(std::string_view key, std::string_view expected, const nlohmann::json& got) const;

 private:
  const nlohmann::json* find(const char* key);
  const nlohmann::json& required(const char* key);

  void read(const char* key, const nlohmann::json& value, std::uint64_t& out) const;
  void read(const char* key, const nlohmann::json& value, std::uint32_t& out) const;
  void read(const char* key, const nlohmann::json& value, std::int64_t& out) const;
  void read(const char* key, const nlohmann::json& value, std::int32_t& out) const;
  void read(const char* key, const nlohmann::json& value, double& out) const;
  void read(const char* key, const nlohmann::json& value, bool& out) const;
  void read(const char* key, const nlohmann::json& value, std::string& out) const;
  void read(const char* key, const nlohmann::json& value, std::vector<std::string>& out) const;
  void read(const char* key, const nlohmann::json& value, std::map<std::string, std::int64_t>& out) const;
  // Anything else has a from_json of its own.
  template <typename T>
  void read(const char*, const nlohmann::json& value, T& out) const {
    from_json(value, out);
  }
  template <typename T>
  void read(const char* key, const nlohmann::json& value, std::vector<T>& out) const {
    if (!value.is_array()) fail(key, "a list", value);
    out.clear();
    for (const nlohmann::json& item : value) from_json(item, out.emplace_back());
  }

  const nlohmann::json& object_;
  std::string what_;
  std::vector<std::string_view> asked_;
};

}  // namespace writecanary
