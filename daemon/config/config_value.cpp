#include "daemon/config/config_value.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/base/system_text.h"
#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

// The largest unit that says it exactly, so that it reads back as the same value.
template <std::size_t N>
std::string exact(std::uint64_t value, const std::array<std::pair<std::uint64_t, const char*>, N>& units) {
  for (const auto& [factor, unit] : units) {
    if (value != 0 && value % factor == 0) return fmt::format("\"{}{}\"", value / factor, unit);
  }
  return fmt::format("\"{}{}\"", value, units.back().second);
}

std::string toml(Text text) { return toml_quoted(*text.value); }
std::string toml(Path path) { return toml_quoted(system_name(*path.value)); }

std::string toml(Texts texts) {
  std::vector<std::string> all;
  all.reserve(texts.value->size());
  for (const auto& text : *texts.value) all.push_back(toml_quoted(text));
  return fmt::format("[{}]", fmt::join(all, ", "));
}

std::string toml(Flag flag) { return *flag.value ? "true" : "false"; }
std::string toml(Count count) { return fmt::format("{}", *count.value); }
std::string toml(Percent percent) { return fmt::format("\"{}%\"", *percent.value); }

// A TOML float needs a point.
std::string toml(Number number) {
  auto text = fmt::format("{}", *number.value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string toml(Size size) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits = {
      {{1ULL << 30, "GiB"}, {1ULL << 20, "MiB"}, {1ULL << 10, "KiB"}, {1, ""}}};
  return exact(*size.value, kUnits);
}

std::string toml(Duration duration) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 5> kUnits = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}}};
  return exact(static_cast<std::uint64_t>(duration.value->count()), kUnits);
}

std::string toml(Space space) {
  if (space.value->percent > 0 || space.value->bytes == 0) return toml(Percent{&space.value->percent});
  return toml(Size{&space.value->bytes});
}

// How much of something is meant, for people.
std::string amount(const Value& kind, double value) {
  if (std::holds_alternative<Size>(kind)) return format_size(static_cast<std::uint64_t>(value));
  if (std::holds_alternative<Duration>(kind)) {
    return format_duration(std::chrono::milliseconds{static_cast<std::int64_t>(value)});
  }
  return fmt::format("{}{}", value, std::holds_alternative<Percent>(kind) ? "%" : "");
}

std::optional<double> counted(const Value& value) {
  if (const auto* count = std::get_if<Count>(&value)) return static_cast<double>(*count->value);
  if (const auto* number = std::get_if<Number>(&value)) return *number->value;
  if (const auto* percent = std::get_if<Percent>(&value)) return *percent->value;
  if (const auto* size = std::get_if<Size>(&value)) return static_cast<double>(*size->value);
  if (const auto* duration = std::get_if<Duration>(&value)) return static_cast<double>(duration->value->count());
  return std::nullopt;
}

}  // namespace

std::string toml_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string written(const Value& value) {
  return std::visit([](auto form) { return toml(form); }, value);
}

std::optional<std::string> range_complaint(const std::string& name, const Value& value, const Range& range) {
  const auto is = counted(value);
  if (!is || (*is >= static_cast<double>(range.least) && *is <= static_cast<double>(range.most))) return std::nullopt;
  return fmt::format("{} {} is out of range: {}", name, amount(value, *is), describe_range(value, range));
}

std::string describe_range(const Value& value, const Range& range) {
  const auto least = amount(value, static_cast<double>(range.least));
  if (range.most == Range{}.most) return least + " or more";
  return fmt::format("{} to {}", least, amount(value, static_cast<double>(range.most)));
}

}  // namespace writecanary::daemon
