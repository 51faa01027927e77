// The upstream version behind the names that distributions give their kernels.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/run/run_result.h"

namespace writecanary {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of the generated comparison for a pointer
  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

std::string to_string(const KernelVersion& version);  // "6.1.176", "6.15"
// "6.15", "6.1.176"; nothing else before or behind.
std::optional<KernelVersion> parse_kernel_version(std::string_view text);

struct KernelIdentity {
  std::optional<KernelVersion> version;  // nothing: the release begins with no version
  bool patch_known = true;    // false where the release has a fixed ".0" in its place (6.1.0-32-amd64, 5.14.0-427.el9)
  bool distribution = false;  // built by a distribution, which may carry fixes back
};

// Reads uname's release, and its version where Debian puts the upstream version there ("Debian 6.1.129-1").
KernelIdentity identify_kernel(const KernelFacts& facts);

}  // namespace writecanary
