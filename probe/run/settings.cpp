#include "probe/run/settings.h"

#include <algorithm>

#include "core/base/error.h"
#include "probe/pattern/plan.h"

namespace writecanary::probe {

Settings::Settings(const RunSpec& spec, const ProfileInfo& info)
    : spec_(spec), info_(info), run_tag_(run_tag(spec.run_id, spec.seed)) {}

std::uint64_t Settings::option(const std::string& name) const {
  if (const auto given = spec_.options.find(name); given != spec_.options.end()) {
    return static_cast<std::uint64_t>(given->second);
  }
  const auto known =
      std::ranges::find_if(info_.options, [&](const ProfileOption& option) { return option.name == name; });
  WC_CHECK(known != info_.options.end());
  return static_cast<std::uint64_t>(known->default_value);
}

FileIdentity Settings::file(std::uint64_t number) const {
  const Tag tag{run_tag_, static_cast<std::uint16_t>(number & kFileTagMax), 0};
  return {tag, "file-" + std::to_string(tag.file), derive_seed(spec_.seed, number), spec_.incompressible};
}

}  // namespace writecanary::probe
