// Every way of copying copies, or is refused: a file with holes, whose size is no multiple of anything.
#include "probe/profiles/copy_after_write/copy_methods.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kSize = 300'001;

std::string image() {
  std::string bytes(kSize, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 70'000 >= 23'000) bytes[i] = static_cast<char>('a' + (i / 7 + i / 4096) % 26);
  }
  return bytes;
}

std::string content(int fd) {
  std::string bytes(file_size(fd, "a file"), '\0');
  EXPECT_EQ(pread(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

class EachCopyMethod : public testing::TestWithParam<CopyMethod> {
 protected:
  void expect_copies(int from, int to) {
    const std::string right = image();
    ASSERT_EQ(ftruncate(from, kSize), 0);
    for (std::size_t at = 0; at < kSize; at += 1000) {
      const std::string_view piece = std::string_view(right).substr(at, 1000);
      if (piece.find_first_not_of('\0') == std::string_view::npos) continue;
      ASSERT_EQ(pwrite(from, piece.data(), piece.size(), static_cast<off_t>(at)), static_cast<ssize_t>(piece.size()));
    }
    const int refused = GetParam().copy(from, to, kSize);
    EXPECT_TRUE(content(from) == right) << "the source is another one now";
    if (refused != 0) GTEST_SKIP() << GetParam().name << " is refused here";
    EXPECT_TRUE(content(to) == right);
  }
};

TEST_P(EachCopyMethod, CopiesInMemory) {
  const Fd from(memfd_create("from", MFD_CLOEXEC)), to(memfd_create("to", MFD_CLOEXEC));
  expect_copies(from.get(), to.get());
}

TEST_P(EachCopyMethod, CopiesOnTheFilesystemOfTheTests) {
  const auto temporary = [] {
    char name[] = "writecanary-copy-XXXXXX";
    Fd file(mkstemp(name));
    unlink(name);
    return file;
  };
  const Fd from = temporary(), to = temporary();
  expect_copies(from.get(), to.get());
}

INSTANTIATE_TEST_SUITE_P(CopyMethods, EachCopyMethod, testing::ValuesIn(copy_methods().begin(), copy_methods().end()),
                         [](const testing::TestParamInfo<CopyMethod>& method) {
                           std::string name = method.param.name;
                           std::erase_if(name, [](char letter) { return std::isalnum(letter) == 0; });
                           return name;
                         });

}  // namespace
}  // namespace writecanary::probe
