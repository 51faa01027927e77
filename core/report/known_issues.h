// Which known bugs a kernel may have, going by its version. Said beside what was measured, never instead of it.
//
// The table is data, core/report/known_issues.json, built in. A version proves nothing: distributions carry fixes back
// without changing the numbers, and the table knows only the stable fixes that it lists. Bugs without a range of kernel
// versions are not in it. Beside what was read it has what was measured: Debian's kernels that do it, and that no
// longer do (docs/kernels.md).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/kernel_version.h"
#include "core/run/finding.h"

namespace writecanary {

struct KnownIssue {
  std::string id;
  std::string title;
  std::optional<KernelVersion> introduced;        // nothing: not known, taken as always
  std::optional<KernelVersion> fixed;             // in mainline; nothing: not yet
  std::vector<KernelVersion> stable_fixes;        // the first good one of each series
  std::vector<KernelVersion> measured_bad = {};   // Debian's kernels that did it
  std::vector<KernelVersion> measured_good = {};  // that did not, as often as it would have shown otherwise
  std::vector<std::string> filesystems;
  std::vector<FindingKind> kinds;     // what it would be found as
  std::vector<std::string> profiles;  // that look for it
  std::string advice;
  std::vector<std::string> references;
};

// The built-in table. Thread-safe.
const std::vector<KnownIssue>& known_issues();

struct IssueMatch {
  const KnownIssue* issue = nullptr;
  std::optional<KernelVersion> fixed_in;  // of this kernel's series if it got the fix, else mainline's
  bool hint_only = false;                 // there is a fix that this kernel may have all the same: a distribution's
                                          // kernel, or one whose patch level is not known
  bool measured = false;                  // Debian's kernel of this version was found to do it
  std::string text;                       // one to three sentences for people
};

// The issues whose range the kernel is in. `filesystem` "": on any. Pure.
std::vector<IssueMatch> match_issues(const KernelIdentity& kernel, std::string_view filesystem,
                                     const std::vector<KnownIssue>& table = known_issues());

void to_json(nlohmann::json& out, const IssueMatch& match);

}  // namespace writecanary
