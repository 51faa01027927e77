// Where pages stay in the page cache storage is asked with O_DIRECT, and no look is called cold.
#include "probe/run/content_check.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "probe/verify/cold/cold_look.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kSize = 40'000;

class ContentThatStays : public testing::Test {
 protected:
  ContentThatStays() : expected_(kSize, std::byte{7}) {
    char name[] = "writecanary-content-XXXXXX";
    file_ = Fd(mkstemp(name));
    unlink(name);
    EXPECT_EQ(pwrite(file_.get(), expected_.data(), kSize, 0), static_cast<ssize_t>(kSize));
    // What is mapped is not dropped.
    mapping_ = mmap(nullptr, kSize, PROT_READ, MAP_SHARED | MAP_POPULATE, file_.get(), 0);
  }
  ~ContentThatStays() override { munmap(mapping_, kSize); }
  ContentView view() const {
    return {.fd = file_.get(), .name = "file", .size_bytes = kSize, .expected = bytes_of(expected_)};
  }

  std::vector<std::byte> expected_;
  Fd file_;
  void* mapping_ = nullptr;
};

TEST_F(ContentThatStays, IsRight) { EXPECT_EQ(inspect_content(view(), 10).tally.total(), 0U); }

TEST_F(ContentThatStays, IsAskedOfStorage) {
  if (!read_direct(file_.get(), kSize)) GTEST_SKIP() << "no direct I/O here";
  ASSERT_EQ(pwrite(file_.get(), "12345678", 8, 16'000), 8);
  const FileReport report = inspect_content(view(), 10);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].views.hot, Look::kWrong);
  EXPECT_EQ(report.findings[0].views.cold, Look::kNotLooked);
  EXPECT_EQ(report.findings[0].views.direct, Look::kWrong);
  EXPECT_EQ(report.bytes_verified, 2 * kSize);
}

}  // namespace
}  // namespace writecanary::probe
