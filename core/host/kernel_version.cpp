#include "core/host/kernel_version.h"

#include <fmt/format.h>

#include <charconv>

namespace writecanary {
namespace {

// Takes a number from the front of the text.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// Takes "6.1" or "6.1.176" from the front of the text.
std::optional<KernelVersion> take_version(std::string_view& text) {
  KernelVersion version;
  const auto major = take_number(text);
  if (!major || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  const auto minor = take_number(text);
  if (!minor) return std::nullopt;
  version = {*major, *minor, 0};
  if (!text.starts_with('.')) return version;
  std::string_view behind = text.substr(1);
  if (const auto patch = take_number(behind)) {
    version.patch = *patch;
    text = behind;
  }
  return version;
}

}  // namespace

std::string to_string(const KernelVersion& version) {
  return version.patch == 0 ? fmt::format("{}.{}", version.major, version.minor)
                            : fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

std::optional<KernelVersion> parse_kernel_version(std::string_view text) {
  const auto version = take_version(text);
  return text.empty() ? version : std::nullopt;
}

KernelIdentity identify_kernel(const KernelFacts& facts) {
  constexpr std::string_view kDebian = "Debian ";
  std::string_view release = facts.release;
  KernelIdentity identity;
  identity.version = take_version(release);
  // A release candidate is nobody's distribution, and has what its merge window brought.
  identity.distribution = !release.empty() && !release.starts_with("-rc");
  const std::size_t debian = facts.version.find(kDebian);
  if (debian != std::string::npos) {
    std::string_view text = std::string_view(facts.version).substr(debian + kDebian.size());
    if (const auto upstream = take_version(text)) return {upstream, true, true};
  }
  identity.patch_known = !identity.distribution || (identity.version && identity.version->patch != 0);
  return identity;
}

}  // namespace writecanary
