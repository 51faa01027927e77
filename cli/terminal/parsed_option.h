// Options of the command line whose text is checked as a whole, with an error that says what was expected.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include "core/run/verdict.h"

namespace writecanary::cli {

// An option whose text goes through one of the parse_* of core/text/units.h, between bounds.
template <typename T, typename Parse>
CLI::Option* add_parsed(CLI::App* command, const std::string& name, T& out, Parse parse, const std::string& expected,
                        const std::string& help) {
  return command->add_option_function<std::string>(
      name,
      [&out, parse, name, expected](const std::string& text) {
        const auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, fmt::format("\"{}\" is not {}", text, expected));
        out = *value;
      },
      help);
}

// The whole text as a number; CLI11 itself takes "-1" for a large unsigned one.
template <typename Number>
std::optional<Number> parse_whole(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// What the exit code takes as a failure.
inline void add_fail_on(CLI::App* command, FailOn& out) {
  add_parsed(command, "--fail-on", out, parse_fail_on, "violation or corrupt",
             "violation (the default): exit with 6 for one; corrupt: take it as clean");
}

}  // namespace writecanary::cli
