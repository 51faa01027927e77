#include "core/run/attribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/json_fields.h"

namespace writecanary {
namespace {

struct VariantText {
  std::string_view name;
  std::string_view description;
};

// Indexed by the enumerator.
constexpr std::array<VariantText, kAllVariants.size()> kTexts = {{
    {"as_is", "as it is"},
    {"offset", "explicit offset, no O_APPEND"},
    {"async", "IOSQE_ASYNC"},
    {"sync", "blocking pwritev2()"},
}};

}  // namespace

std::string_view to_string(Variant variant) { return kTexts[static_cast<std::size_t>(variant)].name; }

std::string_view describe(Variant variant) { return kTexts[static_cast<std::size_t>(variant)].description; }

std::optional<Variant> parse_variant(std::string_view text) {
  const auto* found = std::ranges::find(kAllVariants, text, [](Variant variant) { return to_string(variant); });
  if (found == kAllVariants.end()) return std::nullopt;
  return *found;
}

void to_json(nlohmann::json& out, const VariantRate& rate) {
  out = {{"variant", to_string(rate.variant)},
         {"runs", rate.runs},
         {"runs_with_findings", rate.runs_with_findings},
         {"writes", rate.writes},
         {"exposures", rate.exposures},
         {"findings", rate.findings}};
}

void from_json(const nlohmann::json& in, VariantRate& rate) {
  JsonFields fields(in, "variant rate");
  fields.require_name("variant", rate.variant, parse_variant, "as_is, offset, async or sync");
  fields.require("runs", rate.runs);
  fields.require("runs_with_findings", rate.runs_with_findings);
  fields.require("writes", rate.writes);
  fields.require("exposures", rate.exposures);
  fields.require("findings", rate.findings);
}

std::string summarise(const Attribution& attribution) {
  std::string text, safe, unsafe;
  for (const VariantRate& rate : attribution) {
    if (rate.variant == Variant::kAsIs) {
      text = fmt::format("Seen again in {} of {} repetitions ({} findings in {} writes).", rate.runs_with_findings,
                         rate.runs, rate.findings, rate.writes);
      continue;
    }
    std::string& list = rate.findings == 0 ? safe : unsafe;
    if (!list.empty()) list += ", ";
    list += rate.findings == 0
                ? fmt::format("{} ({} writes, {} exposed)", describe(rate.variant), rate.writes, rate.exposures)
                : fmt::format("{} ({} findings in {} writes)", describe(rate.variant), rate.findings, rate.writes);
  }
  if (!safe.empty()) text += " No finding with " + safe + ".";
  if (!unsafe.empty()) text += " Also with " + unsafe + ".";
  return text;
}

}  // namespace writecanary
