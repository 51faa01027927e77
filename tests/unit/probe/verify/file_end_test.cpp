#include "probe/verify/file_end.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

Fd file_of(std::size_t bytes) {
  Fd fd(memfd_create("end", MFD_CLOEXEC));
  write_all(fd.get(), std::string(bytes, 'x'));
  return fd;
}

TEST(ReadBehindEnd, NothingComesFromBehindTheEndOfARightFile) {
  for (const std::size_t size : {0UL, 1UL, 999UL, 4096UL, 100'000UL}) {
    EXPECT_EQ(read_behind_end(file_of(size).get(), "end", size), 0U) << size;
  }
}

// A size that is told too small is the same to a reader as a read that returns too much.
TEST(ReadBehindEnd, WhatComesFromBehindASizeIsCounted) {
  const Fd fd = file_of(5000);
  EXPECT_EQ(read_behind_end(fd.get(), "end", 4096), 904U);
  EXPECT_EQ(read_behind_end(fd.get(), "end", 0), 5000U);
}

TEST(ReadBehindEnd, AnErrorIsNoFinding) { EXPECT_THROW(read_behind_end(-1, "end", 10), SystemError); }

}  // namespace
}  // namespace writecanary::probe
