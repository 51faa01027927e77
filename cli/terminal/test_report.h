// Results as test reports that CI systems read: JUnit XML (Jenkins, GitLab, KernelCI) and TAP.
//
// Pure. What is a case and what it came to is for whoever has the results: cli/check/check_cases.h, cli/gate/gate.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace writecanary::cli {

struct TestCase {
  enum class Result { kPassed, kFailed, kError, kSkipped };

  std::string name;
  Result result = Result::kPassed;
  std::string verdict;  // in a word
  std::string reason;   // in a sentence
  std::string details;  // of several lines; may be empty
  double seconds = 0;
};

struct TestSuite {
  std::string name;      // dots make it a path where the reader has one: "writecanary.xfs"
  std::string hostname;  // whose results these are, or who asked
  std::int64_t at_ms = 0;
  std::vector<std::pair<std::string, std::string>> facts;  // what all of it was measured on
  std::vector<TestCase> cases;
};

// One document. What XML cannot hold is left out as U+FFFD.
std::string junit_text(const TestSuite& suite);
// TAP 13, which harnesses of TAP 14 read too. Reason and details are in the YAML below the case's line.
std::string tap_text(const TestSuite& suite);

}  // namespace writecanary::cli
