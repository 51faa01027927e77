#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "cli/check/check.h"
#include "core/base/error.h"

namespace writecanary::cli {
namespace {

constexpr std::uint64_t kDefaultDurationMs = 10'000;
// With a number of writes and no duration: long enough for any number that a person waits for.
constexpr std::uint64_t kWritesDurationMs = 120'000;

const std::vector<std::string> kDefaultProfiles = {"append", "nowait-contract", "append-interposed"};

std::string real_directory(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error)
    throw UsageError(
        fmt::format("{}: {}. Give an existing directory on the filesystem to test", path, error_text(error.value())));
  if (!std::filesystem::is_directory(real, error)) {
    throw UsageError(fmt::format("{} is not a directory. Give a directory on the filesystem to test", real.string()));
  }
  if (access(real.c_str(), W_OK | X_OK) != 0) {
    throw UsageError(fmt::format("{} is not writable: {}. The check writes its own files in {}/.writecanary",
                                 real.string(), error_text(errno), real.string()));
  }
  return real.string();
}

std::vector<std::string> names_of(const Catalogue& catalogue) {
  std::vector<std::string> names;
  for (const ProfileInfo& profile : catalogue) names.push_back(profile.name);
  return names;
}

std::vector<std::string> chosen_profiles(const CheckOptions& options, const Catalogue& catalogue) {
  if (options.classic) {
    if (!options.profile.empty() && options.profile != "append") {
      throw UsageError(fmt::format("--classic is a form of the profile append; it cannot be had with --profile {}",
                                   options.profile));
    }
    return {"append"};
  }
  if (options.profile == "all") return names_of(catalogue);
  return options.profile.empty() ? kDefaultProfiles : std::vector{options.profile};
}

const ProfileOption* find_option(const ProfileInfo& profile, const std::string& name) {
  for (const ProfileOption& option : profile.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

// The options that this profile knows, each within its range.
std::map<std::string, std::int64_t> options_for(const ProfileInfo& profile, const CheckOptions& options) {
  std::map<std::string, std::int64_t> known;
  for (const auto& [name, value] : options.profile_options) {
    const ProfileOption* option = find_option(profile, name);
    if (option == nullptr) continue;
    if (value < option->minimum || value > option->maximum) {
      throw UsageError(fmt::format("--option {}={}: {} takes {} to {} {}", name, value, profile.name, option->minimum,
                                   option->maximum, option->unit));
    }
    known.emplace(name, value);
  }
  return known;
}

// An option that no chosen profile knows is a slip of the pen.
void refuse_unknown_options(const CheckOptions& options, const std::vector<const ProfileInfo*>& profiles) {
  for (const auto& [name, value] : options.profile_options) {
    std::vector<std::string> known;
    bool found = false;
    for (const ProfileInfo* profile : profiles) {
      found = found || find_option(*profile, name) != nullptr;
      for (const ProfileOption& option : profile->options) known.push_back(profile->name + "." + option.name);
    }
    if (!found) {
      throw UsageError(fmt::format("--option {}={}: no chosen profile has it; there {}: {}", name, value,
                                   known.size() == 1 ? "is" : "are",
                                   known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
    }
  }
}

RunSpec spec_for(const CheckOptions& options, const ProfileInfo& profile) {
  RunSpec spec;
  spec.profile = profile.name;
  spec.duration_ms = options.duration_ms.value_or(options.writes ? kWritesDurationMs : kDefaultDurationMs);
  spec.writes_max = options.writes.value_or(0);
  spec.bytes_max = options.bytes.value_or(0);
  spec.min_free_bytes = options.min_free_bytes;
  spec.min_free_percent = options.min_free_percent;
  spec.memory_bytes = options.memory_bytes;
  spec.classic = options.classic;
  spec.options = options_for(profile, options);
  return spec;
}

}  // namespace

std::vector<RunSpec> plan_check(const CheckOptions& options, const Catalogue& catalogue, std::uint64_t random_seed) {
  const std::string path = real_directory(options.path);
  std::vector<const ProfileInfo*> profiles;
  for (const std::string& name : chosen_profiles(options, catalogue)) {
    profiles.push_back(find_profile(catalogue, name));
    if (profiles.back() == nullptr) {
      throw UsageError(fmt::format("--profile: there is no profile \"{}\"; there are: {}, or all", name,
                                   fmt::join(names_of(catalogue), ", ")));
    }
  }
  refuse_unknown_options(options, profiles);

  std::vector<RunSpec> specs;
  for (const ProfileInfo* profile : profiles) {
    RunSpec spec = spec_for(options, *profile);
    spec.run_id = fmt::format("check-{}-{}", getpid(), specs.size() + 1);
    spec.path = path;
    spec.seed = options.seed.value_or(random_seed);
    spec.evidence_bytes_max = options.evidence_bytes_max;
    if (!options.evidence_directory.empty()) {
      spec.evidence_directory =
          (std::filesystem::absolute(options.evidence_directory) / spec.run_id).lexically_normal();
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace writecanary::cli
