// A seed: 64 bits that make a run's plan. In JSON it is text of digits, because half of the world's readers of JSON
// (jq, browsers) keep 53 bits of a number, and a rounded seed is another plan. Older documents and clients have a
// number.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace writecanary {

// What is drawn fits a double all the same, for who turns the text into a number.
inline constexpr std::uint64_t kDrawnSeedMax = (1ULL << 53) - 1;

inline constexpr char kSeedExpected[] = "a number from 0 to 2^64-1, as text of digits";

inline std::string seed_text(std::uint64_t seed) { return std::to_string(seed); }
// Digits as text, or a number that is whole; nothing for anything else, and above 2^64-1.
std::optional<std::uint64_t> parse_seed(const nlohmann::json& value);

}  // namespace writecanary
