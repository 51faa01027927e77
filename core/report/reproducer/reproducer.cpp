#include "core/report/reproducer/reproducer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "core/base/error.h"
#include "core/report/reproducer/operations.h"
#include "core/report/reproducer/templates.h"

namespace writecanary {
namespace {

struct Row {
  std::string_view profile, file;
};
constexpr Row kRows[] = {{"append", "append.c"},
                         {"append-interposed", "append_interposed.c"},
                         {"append-concurrent", "append_concurrent.c"},
                         {"nowait-contract", "nowait_contract.c"},
                         {"direct-append", "direct_append.c"},
                         {"mixed-model", "mixed_model.c"}};

// Enough that what shows in one of twenty writes is seen, and few enough for a
// second.
constexpr std::uint64_t kWritesMin = 200, kWritesMax = 4000;
constexpr std::size_t kCommentColumns = 76;
constexpr std::string_view kInclude = "#include \"";
constexpr std::string_view kOperationsBegin = "/* operations */";
constexpr std::string_view kOperationsEnd = "/* end of operations */";

using Parameters = std::map<std::string, std::string, std::less<>>;

std::string_view text_of(std::string_view file) {
  const auto* found = std::ranges::find(kTemplateFiles, file, &TemplateFile::name);
  WC_CHECK(found != std::end(kTemplateFiles));
  return found->text;
}

// The profile's options that were given, under the names that the templates
// have for them.
Parameters parameters_of(const ReproducerFacts& facts) {
  constexpr std::pair<std::string_view, std::string_view> kOptions[] = {{"write_min_bytes", "WRITE_MIN_BYTES"},
                                                                        {"write_max_bytes", "WRITE_MAX_BYTES"},
                                                                        {"headroom_bytes", "HEADROOM_BYTES"},
                                                                        {"file_bytes", "FILE_BYTES"},
                                                                        {"between", "BETWEEN"},
                                                                        {"writers", "WRITERS"},
                                                                        {"records_per_file", "RECORDS_PER_FILE"},
                                                                        {"hold_us", "HOLD_US"}};
  Parameters parameters;
  for (const auto& [option, name] : kOptions) {
    const auto given = facts.spec.options.find(std::string(option));
    if (given == facts.spec.options.end() || given->second < 0) continue;
    parameters.emplace(name, fmt::format("{}{}", given->second, option.ends_with("_bytes") ? "ull" : ""));
  }
  parameters.emplace("SEED", fmt::format("{}ull", facts.spec.seed));
  parameters.emplace("WRITES", std::to_string(std::clamp(facts.spec.writes_max, kWritesMin, kWritesMax)));
  if (facts.spec.memory_bytes != 0) parameters.emplace("MEMORY_BYTES", fmt::format("{}ull", facts.spec.memory_bytes));
  parameters.emplace("TORN_COUNTS", facts.finding.kind == FindingKind::kTorn ? "1" : "0");
  return parameters;
}

// `#define NAME value`, with the value of the run in it.
std::string with_parameter(std::string_view line, const Parameters& parameters) {
  constexpr std::string_view kDefine = "#define ";
  if (!line.starts_with(kDefine)) return std::string(line);
  const std::size_t blank = line.find(' ', kDefine.size());
  const auto found = parameters.find(line.substr(kDefine.size(), blank - kDefine.size()));
  if (blank == std::string_view::npos || found == parameters.end()) return std::string(line);
  const std::size_t comment = line.find(" /*");
  return fmt::format("{} {}{}", line.substr(0, blank), found->second,
                     comment == std::string_view::npos ? "" : line.substr(comment));
}

std::vector<std::string_view> lines_of_text(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// The template with what it includes in its place, and the values of the run.
std::string assemble(std::string_view file, const Parameters& parameters, const std::vector<std::string>& operations) {
  std::string source;
  bool in_parameters = false, in_operations = false;
  for (const std::string_view line : lines_of_text(text_of(file))) {
    if (line.starts_with(kInclude)) {
      const std::string_view name = line.substr(kInclude.size());
      source += text_of(name.substr(0, name.find('"')));
      continue;
    }
    if (line == "/* end of parameters */") in_parameters = false;
    if (line.ends_with(kOperationsEnd)) {
      const std::string_view indent = line.substr(0, line.size() - kOperationsEnd.size());
      for (const std::string& row : operations) source += fmt::format("{}{},\n", indent, row);
      in_operations = false;
    }
    if (!in_operations) source += (in_parameters ? with_parameter(line, parameters) : std::string(line)) + "\n";
    if (line == "/* parameters */") in_parameters = true;
    if (line.ends_with(kOperationsBegin)) in_operations = true;
  }
  return source;
}

// A comment of lines that nothing in them can end, in ASCII.
std::string comment(const std::vector<std::string>& paragraphs) {
  std::string text = "/*\n";
  for (const std::string& paragraph : paragraphs) {
    std::string line;
    const auto flush = [&] {
      text += line.empty() ? " *\n" : " * " + line + "\n";
      line.clear();
    };
    std::string_view rest = paragraph;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      if (!line.empty() && line.size() + 1 + word.size() > kCommentColumns) flush();
      if (!line.empty()) line += ' ';
      for (const char c : word) line += c >= ' ' && c < 127 ? c : '?';
      for (std::size_t at; (at = line.find("*/")) != std::string::npos || (at = line.find("/*")) != std::string::npos;)
        line.insert(at + 1, " ");
    }
    flush();
  }
  return text + " */\n";
}

std::string head(const ReproducerFacts& facts) {
  std::vector<std::string> paragraphs = {fmt::format("{} Found on Linux {} ({}), {}.", describe(facts.finding.kind),
                                                     facts.kernel.release, facts.kernel.machine, facts.filesystem.type),
                                         facts.kernel.version, "", facts.finding.detail, ""};
  if (!facts.origin.empty()) paragraphs.insert(paragraphs.end() - 1, facts.origin);
  if (facts.spec.classic) {
    paragraphs.emplace_back(
        "The run waited for the memory of the host to be short. "
        "This sets its own trap.");
    paragraphs.emplace_back("");
  }
  paragraphs.insert(paragraphs.end(),
                    {"gcc repro.c -luring && ./a.out DIRECTORY",
                     fmt::format("DIRECTORY is on the filesystem, here {}. Run it as root.", facts.filesystem.type),
                     "It says two lines and exits with 0: nothing, 1: seen, 2: could "
                     "not."});
  return comment(paragraphs);
}

std::string names_of_profiles() {
  std::string names;
  for (const Row& row : kRows) names += fmt::format("{}{}", names.empty() ? "" : ", ", row.profile);
  return names;
}

}  // namespace

std::vector<std::string> reproducible_profiles() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.profile);
  return names;
}

Reproducer make_reproducer(const ReproducerFacts& facts) {
  const auto* row = std::ranges::find(kRows, std::string_view(facts.spec.profile), &Row::profile);
  if (row == std::end(kRows)) {
    return {{},
            fmt::format("there is no reproducer for the profile "
                        "{}; there is one for {}",
                        facts.spec.profile, names_of_profiles())};
  }
  std::vector<std::string> operations;
  if (row->profile == "mixed-model") {
    for (const std::string& text : facts.finding.operations) {
      const auto made = operation_row(text);
      if (!made)
        return {{},
                fmt::format("the operation \"{}\" is none "
                            "that a reproducer knows",
                            text)};
      operations.push_back(*made);
    }
    if (operations.empty()) {
      return {{},
              "this finding of mixed-model does not list the operations that it needs: its replays did not fail, an "
              "earlier "
              "version stored it, or it is kept evidence, which is written before they are known"};
    }
  }
  return {head(facts) + "\n" + assemble(row->file, parameters_of(facts), operations), {}};
}

}  // namespace writecanary
