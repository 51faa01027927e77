#include "cli/terminal/test_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/json_text.h"
#include "core/base/system_text.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

// Control characters but tab and line feed have no place in XML, not even as references.
std::string xml(std::string_view text) {
  std::string out;
  for (const char character : valid_utf8(text)) {
    switch (character) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(character) >= 0x20 || character == '\t' || character == '\n') {
          out += character;
        } else {
          out += "\xef\xbf\xbd";
        }
    }
  }
  return out;
}

// An attribute: a parser would make a space of its line feeds.
std::string attribute(std::string_view text) { return fmt::format("\"{}\"", xml(system_text(text))); }

std::size_t count_of(const TestSuite& suite, TestCase::Result result) {
  return static_cast<std::size_t>(std::ranges::count(suite.cases, result, &TestCase::result));
}

std::string junit_outcome(const TestCase& test) {
  const auto element = [&](const char* name) {
    return fmt::format("      <{0} type={1} message={2}>{3}</{0}>\n", name, attribute(test.verdict),
                       attribute(test.reason), xml(test.details));
  };
  switch (test.result) {
    case TestCase::Result::kFailed:
      return element("failure");
    case TestCase::Result::kError:
      return element("error");
    case TestCase::Result::kSkipped:
      return element("skipped");
    case TestCase::Result::kPassed:
      break;
  }
  std::string said = test.verdict + ": " + test.reason + "\n";
  if (!test.details.empty()) said += "\n" + test.details;
  return fmt::format("      <system-out>{}</system-out>\n", xml(said));
}

// In a description "#" would begin a directive.
std::string tap_name(const std::string& name) {
  std::string out;
  for (const char character : system_text(name)) {
    if (character == '#' || character == '\\') out += '\\';
    out += character;
  }
  return out;
}

// Empty lines too: Perl's reader takes one that is not for the end.
std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("{}{}\n", indent, system_text(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string junit_text(const TestSuite& suite) {
  double seconds = 0;
  for (const TestCase& test : suite.cases) seconds += test.seconds;
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  out += fmt::format(
      "  <testsuite name={} hostname={} timestamp={} tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{:.3f}\">\n",
      attribute(suite.name), attribute(suite.hostname), attribute(format_timestamp(suite.at_ms)), suite.cases.size(),
      count_of(suite, TestCase::Result::kFailed), count_of(suite, TestCase::Result::kError),
      count_of(suite, TestCase::Result::kSkipped), seconds);
  out += "    <properties>\n";
  for (const auto& [name, value] : suite.facts) {
    out += fmt::format("      <property name={} value={}/>\n", attribute(name), attribute(value));
  }
  out += "    </properties>\n";
  for (const TestCase& test : suite.cases) {
    out += fmt::format("    <testcase classname={} name={} time=\"{:.3f}\">\n{}    </testcase>\n",
                       attribute(suite.name), attribute(test.name), test.seconds, junit_outcome(test));
  }
  return out + "  </testsuite>\n</testsuites>\n";
}

std::string tap_text(const TestSuite& suite) {
  std::string out = fmt::format("TAP version 13\n1..{}\n", suite.cases.size());
  for (const auto& [name, value] : suite.facts) out += fmt::format("# {}: {}\n", system_text(name), system_text(value));
  for (std::size_t index = 0; index < suite.cases.size(); ++index) {
    const TestCase& test = suite.cases[index];
    const bool bad = test.result == TestCase::Result::kFailed || test.result == TestCase::Result::kError;
    out += fmt::format("{} {} - {}", bad ? "not ok" : "ok", index + 1, tap_name(test.name));
    if (test.result == TestCase::Result::kSkipped)
      out += fmt::format(" # SKIP {}: {}", test.verdict, system_text(test.reason));
    // Strings of JSON are strings of YAML.
    out += fmt::format("\n  ---\n  verdict: {}\n  message: {}\n  duration_ms: {:.0f}\n", json_text(test.verdict),
                       json_text(test.reason), test.seconds * 1000);
    if (!test.details.empty()) out += "  report: |\n" + indented(test.details, "    ");
    out += "  ...\n";
  }
  return out;
}

}  // namespace writecanary::cli
