#include "cli/at_risk/risk.h"

#include <algorithm>
#include <array>

namespace writecanary::cli {
namespace {

constexpr std::array<std::string_view, 3> kAppendProfiles = {"append", "append-interposed", "append-concurrent"};
constexpr std::array<std::string_view, 4> kLocalTypes = {"zfs", "bcachefs", "overlay", "tmpfs"};
constexpr std::string_view kOwnDirectory = "/.writecanary/";

bool is_of_appends(const KnownIssue& issue) {
  return std::ranges::any_of(issue.profiles, [](const std::string& profile) {
    return std::ranges::find(kAppendProfiles, profile) != kAppendProfiles.end();
  });
}

}  // namespace

std::vector<IssueMatch> append_issues(const KernelIdentity& kernel, std::string_view filesystem) {
  std::vector<IssueMatch> matches = match_issues(kernel, filesystem);
  std::erase_if(matches, [](const IssueMatch& match) { return !is_of_appends(*match.issue); });
  return matches;
}

bool is_local(const Mount& mount) {
  return mount.source.starts_with("/dev/") || std::ranges::find(kLocalTypes, mount.type) != kLocalTypes.end();
}

Risk assess(const Scan& scan, const KernelIdentity& kernel, const std::optional<Mount>& filesystem) {
  Risk risk;
  for (const RingHolder& holder : scan.holders) {
    for (const AppendFile& file : holder.appends) {
      const bool is_here =
          file.mount && (filesystem ? file.mount->device == filesystem->device : is_local(*file.mount));
      if (!is_here) {
        ++risk.elsewhere;
      } else if (file.path.find(kOwnDirectory) != std::string::npos) {
        ++risk.own;
      } else if (file.is_direct) {
        ++risk.direct;
      } else {
        risk.files.push_back(
            {holder.process, holder.rings, holder.workers, file, append_issues(kernel, file.mount->type)});
      }
    }
    for (const std::string& path : holder.closed) risk.closed.push_back({holder.process, path});
    if (holder.rings == 0) risk.without_ring.push_back(holder.process);
  }
  std::ranges::stable_sort(
      risk.files, [](const FileAtRisk& a, const FileAtRisk& b) { return !a.issues.empty() && b.issues.empty(); });
  return risk;
}

}  // namespace writecanary::cli
