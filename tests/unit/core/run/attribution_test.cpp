#include "core/run/attribution.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace writecanary {
namespace {

TEST(Variant, HasNameAndDescription) {
  for (const Variant variant : kAllVariants) {
    EXPECT_EQ(parse_variant(to_string(variant)), variant);
    EXPECT_FALSE(describe(variant).empty());
  }
  EXPECT_EQ(to_string(Variant::kAsync), "async");
  EXPECT_EQ(parse_variant("inline"), std::nullopt);
}

TEST(VariantRate, ComesBackAsItWas) {
  const nlohmann::json rate = VariantRate{
      .variant = Variant::kOffset, .runs = 1, .runs_with_findings = 2, .writes = 3, .exposures = 4, .findings = 5};
  EXPECT_EQ(nlohmann::json(rate.get<VariantRate>()), rate);
}

TEST(Summarise, TellsWhatIsSafeFromWhatIsNot) {
  EXPECT_EQ(summarise({}), "");
  EXPECT_EQ(
      summarise({{.variant = Variant::kAsIs, .runs = 3, .runs_with_findings = 3, .writes = 60, .findings = 59},
                 {.variant = Variant::kOffset, .runs = 3, .writes = 60, .exposures = 58},
                 {.variant = Variant::kAsync, .runs = 3, .writes = 60, .exposures = 60},
                 {.variant = Variant::kSync, .runs = 3, .runs_with_findings = 1, .writes = 60, .findings = 2}}),
      "Seen again in 3 of 3 repetitions (59 findings in 60 writes). No finding with explicit offset, no O_APPEND "
      "(60 writes, 58 exposed), IOSQE_ASYNC (60 writes, 60 exposed). Also with blocking pwritev2() (2 findings in "
      "60 writes).");
}

}  // namespace
}  // namespace writecanary
