#include "probe/memory/file_mapping.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

const auto kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

class FileMappingTest : public testing::Test {
 protected:
  // Touching what is beyond its one page is what a page that cannot be had is like.
  FileMappingTest() : fd_(open_file(directory_.write("file", std::string(kPage, 'x')), O_RDWR)) {}

  TemporaryDirectory directory_;
  Fd fd_;
};

TEST_F(FileMappingTest, IsTheFilesBytesFromAnyOffset) {
  const FileMapping mapping(fd_.get(), 5, 10, PROT_READ | PROT_WRITE, MAP_SHARED);
  ASSERT_EQ(mapping.bytes().size(), 10U);
  mapping.bytes()[0] = std::byte{'y'};
  EXPECT_EQ(read_file(directory_ / "file").substr(4, 3), "xyx");
  EXPECT_FALSE(mapping.lost_a_page());
  EXPECT_NO_THROW(mapping.check("store"));
}

TEST_F(FileMappingTest, IsEmptyWhereItIsRefused) {
  const FileMapping refused(-1, 0, kPage, PROT_READ, MAP_SHARED);
  EXPECT_TRUE(refused.bytes().empty());
  EXPECT_FALSE(refused.lost_a_page());
  EXPECT_TRUE(FileMapping(fd_.get(), 0, 0, PROT_READ, MAP_SHARED).bytes().empty());
}

TEST_F(FileMappingTest, APageThatCannotBeHadIsNotTheEnd) {
  const FileMapping mapping(fd_.get(), 100, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
  const FileMapping other(fd_.get(), 0, kPage, PROT_READ, MAP_SHARED);
  auto* bytes = reinterpret_cast<volatile char*>(mapping.bytes().data());
  EXPECT_EQ(char{bytes[0]}, 'x');
  bytes[kPage] = 'y';
  EXPECT_EQ(char{bytes[kPage + 1]}, '\0');
  EXPECT_EQ(char{bytes[0]}, 'x') << "the page before is still the file's";
  EXPECT_TRUE(mapping.lost_a_page());
  EXPECT_FALSE(other.lost_a_page());
  EXPECT_THAT([&] { mapping.check("store through a mapping of file"); },
              testing::ThrowsMessage<SystemError>(testing::StartsWith(
                  "store through a mapping of file: the filesystem could not give a page (SIGBUS): no space is left")));
}

TEST_F(FileMappingTest, InAnyThread) {
  std::vector<std::thread> threads;
  std::atomic<int> lost = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const FileMapping mapping(fd_.get(), 0, 3 * kPage, PROT_READ, MAP_SHARED);
        static_cast<void>(*static_cast<volatile std::byte*>(&mapping.bytes()[2 * kPage]));
        if (mapping.lost_a_page()) ++lost;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost, 8 * 50);
}

TEST_F(FileMappingTest, OtherBusErrorsEndTheProcessAsTheyDid) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const FileMapping made(fd_.get(), 0, kPage, PROT_READ, MAP_SHARED);
  const auto touch_another = [&] {
    void* memory = mmap(nullptr, 2 * kPage, PROT_READ, MAP_SHARED, fd_.get(), 0);
    static_cast<void>(static_cast<volatile char*>(memory)[kPage]);
  };
  EXPECT_EXIT(touch_another(), testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace writecanary::probe
