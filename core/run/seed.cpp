#include "core/run/seed.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace writecanary {

std::optional<std::uint64_t> parse_seed(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& digits = value.get_ref<const std::string&>();
  std::uint64_t seed = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, seed);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return seed;
}

}  // namespace writecanary
