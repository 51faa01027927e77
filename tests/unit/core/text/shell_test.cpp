#include "core/text/shell.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

// What bash makes of the text as one word of a command.
std::string read_by_shell(const std::string& word) {
  const TemporaryDirectory directory;
  const std::string script = directory.write("script", "printf %s " + word + "\n");
  std::FILE* shell = popen(("bash " + script).c_str(), "r");  // NOLINT(cert-env33-c): a script of the test's own
  std::array<char, 256> said{};
  const std::size_t length = std::fread(said.data(), 1, said.size(), shell);
  EXPECT_EQ(pclose(shell), 0) << word;
  return {said.data(), length};
}

TEST(ShellWord, IsTextAndReadBackAsTheSameBytes) {
  struct Case {
    const char* bytes;
    const char* word;
  };
  constexpr Case kCases[] = {
      {"/data", "/data"},
      {"", "''"},
      {"/it's here", R"('/it'\''s here')"},
      {"/$HOME \"x\"", R"('/$HOME "x"')"},
      {"/caf\xe9"
       "1",
       R"($'/caf\3511')"},
      {"/two\nlines", R"($'/two\012lines')"},
      {"/it's\\\t", R"($'/it\'s\\\011')"},
      {"/caf\xc3\xa9", "'/caf\xc3\xa9'"},
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(shell_word(each.bytes), each.word);
    EXPECT_EQ(read_by_shell(each.word), each.bytes);
  }
}

}  // namespace
}  // namespace writecanary
