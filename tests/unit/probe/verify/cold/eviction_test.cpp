#include "probe/verify/cold/eviction.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

// A file without a name. Whether its filesystem can evict at all is what the tests must not assume.
Fd file_with(std::size_t bytes) {
  char name[] = "/tmp/writecanary-eviction-XXXXXX";
  Fd fd(mkstemp(name));
  unlink(name);
  write_all(fd.get(), std::string(bytes, 'x'));
  return fd;
}

TEST(Eviction, WhatWasJustWrittenIsResidentAndEvictionNeverAddsToIt) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const Fd fd = file_with(3 * page + 1);
  const Residency before = residency(fd.get(), "file");
  EXPECT_EQ(before.pages, 4U);
  EXPECT_EQ(before.resident, 4U);
  EXPECT_FALSE(before.none());
  const Residency after = evict(fd.get(), "file");
  EXPECT_EQ(after.pages, 4U);
  EXPECT_TRUE(after.none() || after.resident == 4U);  // tmpfs keeps all
}

TEST(Eviction, AnEmptyFileHasNoPages) { EXPECT_TRUE(residency(file_with(0).get(), "file").none()); }

}  // namespace
}  // namespace writecanary::probe
