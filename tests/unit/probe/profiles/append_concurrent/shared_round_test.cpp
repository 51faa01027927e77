#include "probe/profiles/append_concurrent/shared_round.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>

namespace writecanary::probe {
namespace {

WriteRef write_of(std::uint64_t offset, std::uint64_t length, std::int64_t result) {
  WriteRef write;
  write.stream_offset_bytes = offset;
  write.length_bytes = length;
  write.result = result;
  return write;
}

TEST(SharedRoundTest, WhatAWriterWasInWhenItDiedIsKnownAndNotAcknowledged) {
  const auto round = SharedRound::make(2);
  round->intend(0, write_of(0, 100, 0));
  round->append(0, write_of(0, 100, 100), true);
  ASSERT_EQ(round->entries(0).size(), 1U) << "it has its result";
  round->intend(0, write_of(100, 50, 0));
  const auto entries = round->entries(0);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].write.result, 100);
  EXPECT_EQ(entries[1].write.result, -EINTR);
  EXPECT_EQ(entries[1].write.stream_offset_bytes, 100U);
  EXPECT_EQ(entries[1].write.length_bytes, 50U);
  EXPECT_FALSE(entries[1].exposed);
  EXPECT_TRUE(round->entries(1).empty());
}

TEST(SharedRoundTest, WhateverAWriterThrowsIsToldAndStopsTheOthers) {
  const auto round = SharedRound::make(4);
  EXPECT_TRUE(round->attempt(0, [] {}));
  EXPECT_EQ(round->failed(0), "");
  EXPECT_FALSE(round->stop());
  EXPECT_FALSE(round->attempt(1, [] { throw std::runtime_error("no more " + std::string(1000, 'x')); }));
  EXPECT_EQ(round->failed(1).substr(0, 10), "no more xx");
  EXPECT_LT(round->failed(1).size(), 300U);
  EXPECT_TRUE(round->stop());
  EXPECT_FALSE(round->attempt(2, [] { throw std::bad_alloc(); }));
  EXPECT_EQ(round->failed(2), "std::bad_alloc");
  EXPECT_FALSE(round->attempt(3, [] { throw 7; }));
  EXPECT_NE(round->failed(3), "");
}

}  // namespace
}  // namespace writecanary::probe
