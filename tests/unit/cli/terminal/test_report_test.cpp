// Test reports, byte by byte where their readers are particular.
#include "cli/terminal/test_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writecanary::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TestSuite suite_with(const TestCase& test) {
  TestSuite suite;
  suite.name = "writecanary.xfs";
  suite.hostname = "db-7";
  suite.at_ms = 1'780'000'000'000;
  suite.facts = {{"kernel", "6.1.170 <x>"}};
  suite.cases = {test};
  return suite;
}

TestCase failure() {
  return {"append", TestCase::Result::kFailed, "corrupt", "3 \"duplicate\" & more", "a < b\n\n\x01 ]]>\xff\n", 1.25};
}

TEST(TestReport, XmlHoldsWhateverTextThereIs) {
  const std::string text = junit_text(suite_with(failure()));
  EXPECT_THAT(text, HasSubstr(R"(<property name="kernel" value="6.1.170 &lt;x&gt;"/>)"));
  EXPECT_THAT(text, HasSubstr(R"(tests="1" failures="1" errors="0" skipped="0" time="1.250">)"));
  EXPECT_THAT(text, HasSubstr(R"(<testcase classname="writecanary.xfs" name="append" time="1.250">)"));
  EXPECT_THAT(text, HasSubstr(R"(<failure type="corrupt" message="3 &quot;duplicate&quot; &amp; more">a &lt; b)"));
  EXPECT_THAT(text, HasSubstr("\n\xef\xbf\xbd ]]&gt;\\xff\n</failure>"));
  EXPECT_THAT(text, Not(HasSubstr("\x01")));
}

TEST(TestReport, EachResultHasItsElement) {
  TestCase test = failure();
  for (const auto& [result, element] :
       {std::pair{TestCase::Result::kFailed, "<failure "}, std::pair{TestCase::Result::kError, "<error "},
        std::pair{TestCase::Result::kSkipped, "<skipped "}, std::pair{TestCase::Result::kPassed, "<system-out>"}}) {
    test.result = result;
    EXPECT_THAT(junit_text(suite_with(test)), HasSubstr(element));
  }
}

TEST(TestReport, TapSaysWhatIsSkippedAndWhy) {
  TestCase test = failure();
  EXPECT_THAT(tap_text(suite_with(test)),
              HasSubstr("TAP version 13\n1..1\n# kernel: 6.1.170 <x>\nnot ok 1 - append\n  ---\n"));
  EXPECT_THAT(tap_text(suite_with(test)), HasSubstr("  report: |\n    a < b\n    \n"));
  test.result = TestCase::Result::kError;
  EXPECT_THAT(tap_text(suite_with(test)), HasSubstr("\nnot ok 1 - append\n"));
  test.result = TestCase::Result::kSkipped;
  test.name = "a # SKIP \\";
  EXPECT_THAT(tap_text(suite_with(test)),
              HasSubstr("\nok 1 - a \\# SKIP \\\\ # SKIP corrupt: 3 \"duplicate\" & more\n"));
}

}  // namespace
}  // namespace writecanary::cli
