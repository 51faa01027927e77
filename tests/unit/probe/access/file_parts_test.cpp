// Parts of a file while it is in use: loads and stores that never kill, eviction of a range, what FIEMAP says.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "probe/access/extents.h"
#include "probe/access/mapped_access.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

class FilePartsTest : public testing::Test {
 protected:
  FilePartsTest() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), content_(8 * page_) {
    char name[] = "/tmp/writecanary-parts-XXXXXX";
    file_ = Fd(mkstemp(name));
    unlink(name);
    for (std::size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<std::byte>(1 + i % 251);
    memory_ = Fd(memfd_create("parts", MFD_CLOEXEC));
  }

  void fill(const Fd& file) {
    ASSERT_EQ(pwrite(file.get(), content_.data(), content_.size(), 0), static_cast<ssize_t>(content_.size()));
  }
  // Whether /tmp has anything below the page cache.
  bool on_storage() const {
    struct statfs facts {};
    return fstatfs(file_.get(), &facts) == 0 && facts.f_type != TMPFS_MAGIC && facts.f_type != RAMFS_MAGIC;
  }

  std::size_t page_;
  std::vector<std::byte> content_;
  Fd file_, memory_;
};

TEST_F(FilePartsTest, LoadsAndStores) {
  fill(file_);
  const Mapped part(file_.get(), 100, 3000, true);
  std::vector<std::byte> loaded(3000);
  ASSERT_EQ(part.load(loaded), loaded.size());
  EXPECT_TRUE(std::equal(loaded.begin(), loaded.end(), content_.begin() + 100));
  const std::vector<std::byte> stored(500, std::byte{0xaa});
  ASSERT_EQ(part.store(stored), stored.size());
  std::vector<std::byte> read(500);
  ASSERT_EQ(pread(file_.get(), read.data(), read.size(), 100), 500);
  EXPECT_EQ(read, stored);
}

TEST_F(FilePartsTest, WhatIsBehindTheEndIsShortAndNoSignal) {
  fill(file_);
  std::vector<std::byte> loaded(4 * page_);
  EXPECT_EQ(Mapped(file_.get(), 6 * page_, 4 * page_).load(loaded), 2 * page_);
  EXPECT_EQ(Mapped(file_.get(), 20 * page_, page_).load(loaded), 0U);
  EXPECT_EQ(Mapped(-1, 0, page_).load(loaded), 0U);
}

TEST_F(FilePartsTest, EvictsARangeAndNothingElse) {
  if (!on_storage()) GTEST_SKIP() << "/tmp has nothing below its pages";
  fill(file_);
  EXPECT_EQ(resident_pages(file_.get(), 0, content_.size()), 8U);
  ASSERT_EQ(fdatasync(file_.get()), 0);  // a large folio with a page outside the range would stay as a whole
  EXPECT_TRUE(evict_range(file_.get(), "file", 0, content_.size()));
  EXPECT_EQ(resident_pages(file_.get(), 0, content_.size()), 0U);
  std::vector<std::byte> read(content_.size());
  ASSERT_EQ(pread(file_.get(), read.data(), read.size(), 0), static_cast<ssize_t>(read.size()));
  EXPECT_EQ(read, content_);
  EXPECT_EQ(resident_pages(file_.get(), 3 * page_, 2 * page_), 2U);
}

TEST_F(FilePartsTest, MemoryIsNotEvicted) {
  fill(memory_);
  EXPECT_FALSE(evict_range(memory_.get(), "memory", 0, content_.size()));
  EXPECT_EQ(resident_pages(memory_.get(), 0, content_.size()), 8U);
}

TEST_F(FilePartsTest, OnlyWhatIsSaidToBeUnwrittenIs) {
  EXPECT_FALSE(is_unwritten(file_.get(), 0, page_)) << "a hole";
  fill(file_);
  ASSERT_EQ(fsync(file_.get()), 0);
  EXPECT_FALSE(is_unwritten(file_.get(), 0, page_)) << "written";
  fill(memory_);
  EXPECT_FALSE(is_unwritten(memory_.get(), 0, page_)) << "a filesystem that does not tell";
}

TEST_F(FilePartsTest, PreallocatedBlocksAreUnwritten) {
  struct statfs facts {};
  ASSERT_EQ(fstatfs(file_.get(), &facts), 0);
  if (facts.f_type != EXT4_SUPER_MAGIC && facts.f_type != XFS_SUPER_MAGIC && facts.f_type != BTRFS_SUPER_MAGIC) {
    GTEST_SKIP() << "/tmp is none of XFS, ext4 and btrfs";
  }
  ASSERT_EQ(fallocate(file_.get(), 0, 0, static_cast<off_t>(4 * page_)), 0);
  EXPECT_TRUE(is_unwritten(file_.get(), 0, 4 * page_));
  EXPECT_TRUE(is_unwritten(file_.get(), page_, page_));
  EXPECT_FALSE(is_unwritten(file_.get(), 0, 5 * page_)) << "a hole at its end";
  ASSERT_EQ(pwrite(file_.get(), content_.data(), page_, 0), static_cast<ssize_t>(page_));
  EXPECT_TRUE(is_unwritten(file_.get(), 0, page_)) << "in the page cache alone";
  ASSERT_EQ(fsync(file_.get()), 0);
  EXPECT_FALSE(is_unwritten(file_.get(), 0, page_));
  EXPECT_TRUE(is_unwritten(file_.get(), page_, page_));
}

}  // namespace
}  // namespace writecanary::probe
