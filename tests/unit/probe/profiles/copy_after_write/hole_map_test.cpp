#include "probe/profiles/copy_after_write/hole_map.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "probe/profiles/copy_after_write/dirty_pages.h"

namespace writecanary::probe {
namespace {

std::vector<std::byte> image_with(std::size_t size, std::size_t begin, std::size_t end) {
  std::vector<std::byte> image(size);
  for (std::size_t i = begin; i < end; ++i) image[i] = std::byte{'x'};
  return image;
}

TEST(DataInHoles, AHoleOverDataIsToldFromItsFirstByteToItsLast) {
  const auto image = image_with(20'000, 5000, 9000);
  const std::vector<FileRange> right{{0, 4096}, {12'288, 7712}};
  EXPECT_TRUE(data_in_holes(right, image).empty());
  const std::vector<FileRange> wrong{{0, 8192}, {8192, 512}};
  const auto found = data_in_holes(wrong, image);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].offset, 5000U);
  EXPECT_EQ(found[0].length, 3192U);
  EXPECT_EQ(found[1].offset, 8192U);
  EXPECT_EQ(found[1].length, 512U);
}

TEST(ReadHoleMap, TheHolesOfASparseFile) {
  const Fd fd(memfd_create("sparse", MFD_CLOEXEC));
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  ASSERT_EQ(ftruncate(fd.get(), static_cast<off_t>(8 * page)), 0);
  const auto image = image_with(8 * page, 3 * page, 5 * page);
  ASSERT_EQ(pwrite(fd.get(), image.data() + 3 * page, 2 * page, static_cast<off_t>(3 * page)),
            static_cast<ssize_t>(2 * page));
  const HoleMap map = read_hole_map(fd.get(), "sparse", 8 * page);
  EXPECT_EQ(map.refused, 0);
  EXPECT_TRUE(data_in_holes(map.by_seek_data, image).empty());
  EXPECT_TRUE(data_in_holes(map.by_seek_hole, image).empty());
  ASSERT_EQ(map.by_seek_data.size(), 2U) << "before the data and behind it";
  EXPECT_EQ(map.by_seek_data[0].length, 3 * page);
  ASSERT_EQ(map.by_seek_hole.size(), 1U);
  EXPECT_EQ(map.by_seek_hole[0].offset, 5 * page);
}

TEST(HasDirtyPages, MemoryThatIsNeverWrittenBackIsNotDirty) {
  const Fd fd(memfd_create("memory", MFD_CLOEXEC));
  ASSERT_EQ(pwrite(fd.get(), "bytes", 5, 0), 5);
  EXPECT_FALSE(has_dirty_pages(fd.get(), {0, 5}, "tmpfs"));
  EXPECT_FALSE(has_dirty_pages(-1, {0, 5}, "xfs")) << "what cannot be known is not a yes";
}

}  // namespace
}  // namespace writecanary::probe
