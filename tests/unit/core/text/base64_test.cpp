#include "core/text/base64.h"

#include <gtest/gtest.h>

namespace writecanary {
namespace {

// RFC 4648, section 10.
TEST(Base64, TheVectorsOfTheStandard) {
  constexpr std::string_view kBytes = "foobar";
  constexpr std::string_view kPadded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t length = 0; length <= kBytes.size(); ++length) {
    const std::string_view bytes = kBytes.substr(0, length);
    const std::string_view bare = kPadded[length].substr(0, kPadded[length].find('='));
    EXPECT_EQ(to_base64(bytes, Base64::kPadded), kPadded[length]);
    EXPECT_EQ(to_base64(bytes, Base64::kUrl), bare);
    EXPECT_EQ(from_base64(kPadded[length], Base64::kPadded), bytes);
    EXPECT_EQ(from_base64(bare, Base64::kUrl), bytes);
  }
}

TEST(Base64, EachFormHasItsOwnLastTwoLetters) {
  const std::string bytes = "\xfb\xff\xfe";
  EXPECT_EQ(to_base64(bytes, Base64::kPadded), "+//+");
  EXPECT_EQ(to_base64(bytes, Base64::kUrl), "-__-");
  EXPECT_EQ(from_base64("+//+", Base64::kPadded), bytes);
  EXPECT_EQ(from_base64("-__-", Base64::kUrl), bytes);
  EXPECT_EQ(from_base64("+//+", Base64::kUrl), std::nullopt);
  EXPECT_EQ(from_base64("-__-", Base64::kPadded), std::nullopt);
}

TEST(Base64, WhatIsNoneIsRefused) {
  for (const std::string_view text : {"Zg", "Zg=", "Z===", "====", "Zm9v Zm9v", "Zg==Zg==", "Zm9v\n"}) {
    EXPECT_EQ(from_base64(text, Base64::kPadded), std::nullopt) << text;
  }
  for (const std::string_view text : {"Z", "Zg==", "Zm9vY"}) {
    EXPECT_EQ(from_base64(text, Base64::kUrl), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace writecanary
