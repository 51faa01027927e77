#include "probe/profiles/append_concurrent/shared_round.h"

#include <gtest/gtest.h>

#include <cerrno>

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

}  // namespace
}  // namespace writecanary::probe
