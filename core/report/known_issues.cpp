#include "core/report/known_issues.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/report/known_issues_data.h"

namespace writecanary {
namespace {

// The table is part of the program: what is wrong in it is a bug.
std::optional<KernelVersion> version_field(const nlohmann::json& entry, const char* key) {
  const nlohmann::json& value = entry.at(key);
  if (value.is_null()) return std::nullopt;
  const auto version = parse_kernel_version(value.get<std::string>());
  WC_CHECK(version.has_value());
  return version;
}

std::vector<KernelVersion> versions(const nlohmann::json& texts) {
  std::vector<KernelVersion> found;
  for (const std::string text : texts) {
    const auto version = parse_kernel_version(text);
    WC_CHECK(version.has_value());
    found.push_back(*version);
  }
  return found;
}

KnownIssue parse_issue(const nlohmann::json& entry) {
  KnownIssue issue{.id = entry.at("id"),
                   .title = entry.at("title"),
                   .introduced = version_field(entry, "introduced"),
                   .fixed = version_field(entry, "fixed"),
                   .stable_fixes = versions(entry.at("stable_fixes")),
                   .filesystems = entry.at("filesystems"),
                   .kinds = {},
                   .profiles = entry.at("profiles"),
                   .advice = entry.at("advice"),
                   .references = entry.at("references")};
  if (const auto measured = entry.find("measured"); measured != entry.end()) {
    issue.measured_bad = versions(measured->at("bad"));
    issue.measured_good = versions(measured->at("good"));
  }
  for (const std::string text : entry.at("kinds")) {
    const auto kind = parse_finding_kind(text);
    WC_CHECK(kind.has_value());
    issue.kinds.push_back(*kind);
  }
  return issue;
}

std::optional<KernelVersion> stable_fix(const KnownIssue& issue, const KernelVersion& version) {
  const auto found = std::ranges::find_if(issue.stable_fixes, [&](const KernelVersion& fix) {
    return fix.major == version.major && fix.minor == version.minor;
  });
  return found == issue.stable_fixes.end() ? std::nullopt : std::optional(*found);
}

// Where the patch level is not known, a series that was fixed within is taken as affected: the hint says so.
bool in_range(const KnownIssue& issue, const KernelIdentity& kernel) {
  const KernelVersion& version = *kernel.version;
  if (issue.introduced && version < *issue.introduced) return false;
  if (issue.fixed && version >= *issue.fixed) return false;
  const auto fix = stable_fix(issue, version);
  return !fix || !kernel.patch_known || version < *fix;
}

std::string describe(const IssueMatch& match, const KernelIdentity& kernel) {
  std::string text = fmt::format("{} is in the affected range of {} ({})", to_string(*kernel.version), match.issue->id,
                                 match.issue->title);
  text += match.fixed_in ? fmt::format("; fixed in {}.", to_string(*match.fixed_in)) : "; not fixed in any kernel yet.";
  if (match.measured) text += " Debian's kernel of this version was found to do it.";
  if (!match.fixed_in) return text;
  if (!kernel.patch_known) {
    text += " The release name hides the patch level, so this is a hint only.";
  } else if (kernel.distribution) {
    text += " A kernel that is not plain upstream may carry the fix all the same, so this is a hint only.";
  }
  return text;
}

}  // namespace

const std::vector<KnownIssue>& known_issues() {
  static const std::vector<KnownIssue> kTable = [] {
    std::vector<KnownIssue> table;
    for (const nlohmann::json& entry : nlohmann::json::parse(kKnownIssuesJson)) table.push_back(parse_issue(entry));
    return table;
  }();
  return kTable;
}

std::vector<IssueMatch> match_issues(const KernelIdentity& kernel, std::string_view filesystem,
                                     const std::vector<KnownIssue>& table) {
  std::vector<IssueMatch> matches;
  if (!kernel.version) return matches;
  for (const KnownIssue& issue : table) {
    const bool here = filesystem.empty() || std::ranges::find(issue.filesystems, filesystem) != issue.filesystems.end();
    if (!here || !in_range(issue, kernel)) continue;
    IssueMatch match{&issue, stable_fix(issue, *kernel.version), false, false, {}};
    match.measured =
        kernel.patch_known && std::ranges::find(issue.measured_bad, *kernel.version) != issue.measured_bad.end();
    if (!match.fixed_in) match.fixed_in = issue.fixed;
    match.hint_only = match.fixed_in && (kernel.distribution || !kernel.patch_known);
    match.text = describe(match, kernel);
    matches.push_back(std::move(match));
  }
  return matches;
}

void to_json(nlohmann::json& out, const IssueMatch& match) {
  const KnownIssue& issue = *match.issue;
  nlohmann::json kinds = nlohmann::json::array();
  for (const FindingKind kind : issue.kinds) kinds.push_back(to_string(kind));
  out = {{"id", issue.id},
         {"title", issue.title},
         {"fixed_in", match.fixed_in ? nlohmann::json(to_string(*match.fixed_in)) : nlohmann::json()},
         {"hint_only", match.hint_only},
         {"measured", match.measured},
         {"filesystems", issue.filesystems},
         {"kinds", std::move(kinds)},
         {"profiles", issue.profiles},
         {"advice", issue.advice},
         {"references", issue.references},
         {"text", match.text}};
}

}  // namespace writecanary
