#include "core/base/fd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "core/base/error.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

using testing::ThrowsMessage;

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(Error, TextHasTheSymbol) {
  EXPECT_EQ(error_text(EACCES), "Permission denied (EACCES)");
  EXPECT_EQ(error_text(99999), "unknown error 99999");
  const SystemError error("open /x", ENOSPC);
  EXPECT_STREQ(error.what(), "open /x: No space left on device (ENOSPC)");
  EXPECT_EQ(error.error_number(), ENOSPC);
}

TEST(Error, ThrowErrnoTakesTheCurrentOne) {
  EXPECT_THAT(
      [] {
        errno = EBUSY;
        throw_errno("rmdir /x");
      },
      ThrowsMessage<SystemError>("rmdir /x: Device or resource busy (EBUSY)"));
}

TEST(ErrorDeathTest, CheckStaysOn) {
  EXPECT_DEATH(WC_CHECK(1 + 1 == 3), "fd_test.cpp:[0-9]+: check failed: 1 \\+ 1 == 3");
}

TEST(Fd, ClosesOnceAndMoves) {
  Fd first = open_file("/dev/null", O_RDONLY);
  const int number = first.get();
  EXPECT_EQ(fcntl(number, F_GETFD), FD_CLOEXEC);
  Fd second = std::move(first);
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(is_open(number));
  errno = EINTR;
  second.reset();
  EXPECT_FALSE(second);
  EXPECT_FALSE(is_open(number));
  Fd third = open_file("/dev/null", O_RDONLY);
  const Fd keeper{third.release()};
  EXPECT_FALSE(third);
  EXPECT_TRUE(is_open(keeper.get()));
}

TEST(Fd, ClosingKeepsErrno) {
  Fd fd{1'000'000};
  errno = EXDEV;
  fd.reset();  // fails with EBADF
  EXPECT_EQ(errno, EXDEV);
}

TEST(OpenFile, MakesAndRefuses) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(open_file(directory / "new", O_CREAT | O_EXCL | O_WRONLY, 0600));
  EXPECT_THAT([&] { open_file(directory / "new", O_CREAT | O_EXCL | O_WRONLY, 0600); },
              ThrowsMessage<SystemError>("open " + directory.path() + "/new: File exists (EEXIST)"));
}

TEST(ReadFile, ReadsMoreThanOneChunk) {
  const TemporaryDirectory directory;
  const std::string text = std::string(10'000, 'a') + '\0' + "end";
  EXPECT_EQ(read_file(directory.write("f", text)), text);
  EXPECT_EQ(read_file(directory.write("empty", "")), "");
  EXPECT_THAT([&] { read_file(directory.path()); },
              ThrowsMessage<SystemError>("read " + directory.path() + ": Is a directory (EISDIR)"));
}

TEST(WriteControlFile, NamesPathAndValue) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("limit", "max\n");
  write_control_file(file, "4096");
  EXPECT_EQ(read_file(file), "4096") << "written over, not cut: as for a control file";
  EXPECT_THAT([&] { write_control_file(directory / "none", "+memory"); },
              ThrowsMessage<SystemError>("write \"+memory\" to " + directory.path() +
                                         "/none: No such file or directory (ENOENT)"));
  EXPECT_THAT([] { write_control_file("/dev/full", "1"); },
              ThrowsMessage<SystemError>("write \"1\" to /dev/full: No space left on device (ENOSPC)"));
}

TEST(WriteAll, ContinuesAfterShortWrites) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read_end{ends[0]};
  Fd write_end{ends[1]};
  const std::string sent(1 << 20, 'x');  // more than a pipe holds
  std::size_t received = 0;
  std::thread reader([&] {
    std::array<char, 5000> chunk;
    ssize_t got = 0;
    while ((got = read(read_end.get(), chunk.data(), chunk.size())) > 0) received += static_cast<std::size_t>(got);
  });
  write_all(write_end.get(), sent);
  write_end.reset();
  reader.join();
  EXPECT_EQ(received, sent.size());
}

TEST(WriteAll, FailureIsAnError) {
  const Fd full = open_file("/dev/full", O_WRONLY);
  EXPECT_THAT([&] { write_all(full.get(), "x"); },
              ThrowsMessage<SystemError>(testing::HasSubstr("No space left on device (ENOSPC)")));
}

}  // namespace
}  // namespace writecanary
