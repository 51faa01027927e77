#include "daemon/config/config_reference.h"

#include <fmt/format.h>

#include <cctype>
#include <regex>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/config/config_keys.h"

namespace writecanary::daemon {
namespace {

struct Row {
  std::string name;
  std::string fallback;  // as TOML; empty: required
  std::string meaning;   // Markdown, with the range
};

struct ReferenceSection {
  std::string_view title;
  std::string_view intro;  // Markdown
  std::vector<Row> rows;
};

template <typename Owner>
void add(std::vector<Row>& rows, std::span<const Key<Owner>> keys) {
  Owner defaults;
  for (const auto& key : keys) {
    const auto value = key.in(defaults);
    const auto range = key.range.is_limit() ? fmt::format(" ({})", describe_range(value, key.range)) : "";
    rows.push_back({key.name, key.required ? "" : written(value), std::string{key.meaning} + range});
  }
}

template <typename... Keys>
ReferenceSection section(std::string_view title, std::string_view intro, Keys... keys) {
  ReferenceSection made{title, intro, {}};
  (add(made.rows, keys), ...);
  return made;
}

std::vector<ReferenceSection> sections() {
  return {
      section("[server]", "Where the API, the metrics and the page are served.", server_keys()),
      section("[storage]", "Where results are kept, and how many of them.", storage_keys()),
      section("[webhook]", "Where ends of runs and what becomes of incidents are sent. Both keys, or no table.",
              webhook_keys()),
      section(
          "[defaults]",
          "For every target that does not say otherwise. All of these but `max_concurrent_runs` may also stand in a "
          "`[[target]]`, for that target alone.",
          settings_keys(), host_keys()),
      section("[[target]]", "One for each filesystem to watch, with any key of `[defaults]` beside these.",
              target_keys()),
      section(
          "[[token]]",
          "One for each client that shows a bearer token. Without any, whoever can reach a loopback or unix listener "
          "may do everything, and others may at most read (`server.anonymous_read`).",
          token_keys()),
  };
}

// A bar would end the cell of a table, even within code.
std::string in_cell(const std::string& text) { return std::regex_replace(text, std::regex(R"(\|)"), R"(\|)"); }

std::string markdown(const ReferenceSection& section) {
  auto out = fmt::format("### {}\n\n{}\n\n| key | default | meaning |\n|---|---|---|\n", section.title, section.intro);
  for (const auto& row : section.rows) {
    const auto fallback = row.fallback.empty() ? "required" : fmt::format("`{}`", row.fallback);
    out += fmt::format("| `{}` | {} | {} |\n", row.name, fallback, in_cell(row.meaning));
  }
  return out;
}

// A manual page has a line for each sentence, links without addresses, and bold type for code.
std::string in_manual(std::string_view text) {
  auto out = std::regex_replace(std::string{text}, std::regex(R"(\\)"), R"(\e)");
  out = std::regex_replace(out, std::regex(R"(\[([^\]]+)\]\([^)]+\))"), "$1");
  out = std::regex_replace(out, std::regex("`([^`]+)`"), R"(\fB$1\fP)");
  return std::regex_replace(out, std::regex(R"(\. ([A-Z]))"), ".\n$1");
}

std::string manual(const ReferenceSection& section) {
  auto out = fmt::format(".Ss {}\n{}\n.Bl -tag -width Ds\n", section.title, in_manual(section.intro));
  for (const auto& row : section.rows) {
    const auto fallback =
        row.fallback.empty() ? "Required" : fmt::format("Default \\fB{}\\fP", in_manual(row.fallback));
    auto meaning = in_manual(row.meaning);
    meaning.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(meaning.front())));
    out += fmt::format(".It Ic {}\n{}.\n{}.\n", row.name, meaning, fallback);
  }
  return out + ".El\n";
}

}  // namespace

std::string config_reference(ReferenceFormat format) {
  std::string out;
  for (const auto& section : sections()) {
    if (format == ReferenceFormat::kMdoc) {
      out += manual(section);
    } else {
      out += (out.empty() ? "" : "\n") + markdown(section);
    }
  }
  return out;
}

}  // namespace writecanary::daemon
