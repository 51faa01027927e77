// Which ways of writing show a finding, and which are safe: what a run with findings measured when it repeated itself.
//
// "IOSQE_ASYNC avoids it here" is what an operator can act on before there is a fixed kernel. It is a measurement, with
// its size, not a promise: no finding in n exposed writes bounds the rate by 3/n.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

// How the writes of a profile are issued instead of in its own way.
enum class Variant { kAsIs, kOffset, kAsync, kSync };

inline constexpr std::array kAllVariants = {Variant::kAsIs, Variant::kOffset, Variant::kAsync, Variant::kSync};

std::string_view to_string(Variant variant);  // "as_is", "offset", "async", "sync"
std::string_view describe(Variant variant);   // "explicit offset, no O_APPEND", as in a table of a report
std::optional<Variant> parse_variant(std::string_view text);

// The repetitions of one variant, with the seed and options of the run.
struct VariantRate {
  Variant variant = Variant::kAsIs;
  std::uint64_t runs = 0;
  std::uint64_t runs_with_findings = 0;
  std::uint64_t writes = 0;
  std::uint64_t exposures = 0;
  std::uint64_t findings = 0;
};

using Attribution = std::vector<VariantRate>;  // empty: nothing was found, or there was no time to repeat it

void to_json(nlohmann::json& out, const VariantRate& rate);
void from_json(const nlohmann::json& in, VariantRate& rate);

// "Seen again in 3 of 3 repetitions. No finding with IOSQE_ASYNC (60 writes, 60 exposed)." Empty for no attribution.
std::string summarise(const Attribution& attribution);

}  // namespace writecanary
