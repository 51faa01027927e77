#include "daemon/schedule/pressure_gate.h"

#include <charconv>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::daemon {

std::optional<double> parse_memory_pressure(std::string_view text) {
  if (!text.starts_with("some ")) return std::nullopt;
  const auto line = text.substr(0, text.find('\n'));
  constexpr std::string_view kKey = " avg60=";
  const auto key = line.find(kKey);
  if (key == std::string_view::npos) return std::nullopt;
  const auto value = line.substr(key + kKey.size());
  double percent = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), percent);
  if (error != std::errc{} || (end != value.data() + value.size() && *end != ' ')) return std::nullopt;
  return percent;
}

std::optional<double> read_memory_pressure(const std::string& file) {
  try {
    return parse_memory_pressure(read_file(file));
  } catch (const SystemError&) {
    return std::nullopt;
  }
}

}  // namespace writecanary::daemon
