// When an event is given up that its receiver does not take.
#include "daemon/webhook/webhook.h"

#include <gtest/gtest.h>

namespace writecanary::daemon {
namespace {

TEST(WebhookTest, OnlyWhatCanNeverBeTakenIsGivenUp) {
  const auto signed_time = from_unix_ms(1'780'000'000'000);
  constexpr char kSameTime[] = "Thu, 28 May 2026 20:27:40 GMT";
  for (const int status : {400, 413, 415, 422}) {
    EXPECT_TRUE(is_final(status, kSameTime, signed_time, false)) << status;
    EXPECT_TRUE(is_final(status, "", signed_time, false)) << "a receiver that does not say what time it is";
  }
  for (const int status : {401, 404, 429, 500, 503}) EXPECT_FALSE(is_final(status, kSameTime, signed_time, false));
}

TEST(WebhookTest, WhatMayBeAboutTheTimeIsNot) {
  const auto signed_time = from_unix_ms(1'780'000'000'000);
  EXPECT_FALSE(is_final(400, "Thu, 28 May 2026 20:33:00 GMT", signed_time, false)) << "their clock is ahead";
  EXPECT_FALSE(is_final(400, "Wed, 28 May 2025 20:27:40 GMT", signed_time, false)) << "theirs is behind";
  EXPECT_FALSE(is_final(400, "Thu, 28 May 2026 20:27:40 GMT", signed_time, true)) << "ours may be anything";
}

}  // namespace
}  // namespace writecanary::daemon
