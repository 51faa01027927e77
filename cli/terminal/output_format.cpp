#include "cli/terminal/output_format.h"

#include <algorithm>
#include <array>

#include "cli/terminal/parsed_option.h"

namespace writecanary::cli {

std::optional<OutputFormat> parse_output_format(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kNames = {"text", "json", "junit", "tap"};  // by the enumerator
  const auto* name = std::ranges::find(kNames, text);
  if (name == kNames.end()) return std::nullopt;
  return static_cast<OutputFormat>(name - kNames.begin());
}

void add_format(CLI::App* command, OutputFormat& out) {
  CLI::Option* format = add_parsed(command, "--format", out, parse_output_format, "text, json, junit or tap",
                                   "text; json: one document; junit or tap: a test report");
  command
      ->add_flag_callback(
          "--json", [&out] { out = OutputFormat::kJson; }, "Like --format json")
      ->excludes(format);
}

}  // namespace writecanary::cli
