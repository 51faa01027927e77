// In which form a command prints its result: `--format`, and `--json`, which is short for one of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

namespace writecanary::cli {

enum class OutputFormat : std::uint8_t { kText, kJson, kJunit, kTap };

std::optional<OutputFormat> parse_output_format(std::string_view text);
// Both options; they exclude each other.
void add_format(CLI::App* command, OutputFormat& out);

}  // namespace writecanary::cli
