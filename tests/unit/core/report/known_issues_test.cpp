// Which issues a kernel's name puts it in the range of, at the edges of the ranges and behind distributions' names.
#include "core/report/known_issues.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace writecanary {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr char kDuplicate[] = "iomap-nowait-duplicate";
constexpr char kPlain[] = "#1 SMP PREEMPT_DYNAMIC";

std::vector<std::string> ids(const std::string& release, const std::string& version, const std::string& filesystem) {
  std::vector<std::string> found;
  for (const IssueMatch& match : match_issues(identify_kernel({release, version, "x86_64"}), filesystem)) {
    found.push_back(match.issue->id);
  }
  return found;
}

IssueMatch the_match(const std::string& release, const std::string& version, const std::string& id) {
  for (const IssueMatch& match : match_issues(identify_kernel({release, version, "x86_64"}), "xfs")) {
    if (match.issue->id == id) return match;
  }
  ADD_FAILURE() << id << " does not match " << release;
  return {};
}

TEST(KernelVersionTest, ReadsWhatDistributionsCallTheirs) {
  struct Case {
    const char* release;
    const char* version;
    KernelVersion expected;
    bool patch_known, distribution;
  };
  for (const Case& c : {
           Case{"6.18.44", kPlain, {6, 18, 44}, true, false},
           Case{"6.15.0", kPlain, {6, 15, 0}, true, false},
           Case{"6.16.0-rc3", kPlain, {6, 16, 0}, true, false},
           Case{"6.1.0-32-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1 (2025-03-06)", {6, 1, 129}, true, true},
           Case{"6.1.0-32-amd64", kPlain, {6, 1, 0}, false, true},
           Case{"6.12.30+deb13-amd64", kPlain, {6, 12, 30}, true, true},
           Case{"5.14.0-427.13.1.el9_4.x86_64", kPlain, {5, 14, 0}, false, true},
           Case{"6.8.0-45-generic", "#45-Ubuntu SMP", {6, 8, 0}, false, true},
           Case{"6.18.44-fc-v669", kPlain, {6, 18, 44}, true, true},
       }) {
    const KernelIdentity identity = identify_kernel({c.release, c.version, "x86_64"});
    ASSERT_TRUE(identity.version) << c.release;
    EXPECT_EQ(*identity.version, c.expected) << c.release;
    EXPECT_EQ(identity.patch_known, c.patch_known) << c.release;
    EXPECT_EQ(identity.distribution, c.distribution) << c.release;
  }
  EXPECT_FALSE(identify_kernel({"unknown", "", ""}).version);
  EXPECT_FALSE(parse_kernel_version("6.1.2x"));
  EXPECT_FALSE(parse_kernel_version("6"));
}

TEST(KnownIssuesTest, TheRangeOfTheDuplicateHasTheseEdges) {
  for (const char* affected : {"6.0.0", "6.1.1", "6.1.175", "6.5.13", "6.6.142", "6.12.93", "6.14.11"}) {
    EXPECT_THAT(ids(affected, kPlain, "xfs"), Contains(kDuplicate)) << affected;
  }
  for (const char* fine : {"5.15.200", "5.19.17", "6.1.176", "6.1.192", "6.6.143", "6.12.94", "6.15.0", "6.18.44"}) {
    EXPECT_THAT(ids(fine, kPlain, "xfs"), Not(Contains(kDuplicate))) << fine;
  }
  EXPECT_THAT(ids("6.1.170", kPlain, "ext4"), Not(Contains(kDuplicate)));
  EXPECT_THAT(ids("6.1.170", kPlain, ""), Contains(kDuplicate)) << "no filesystem given: any";
}

TEST(KnownIssuesTest, ARangeWithinOneSeries) {
  EXPECT_THAT(ids("6.1.63", kPlain, "ext4"), Not(Contains("ext4-direct-position")));
  EXPECT_THAT(ids("6.1.64", kPlain, "ext4"), Contains("ext4-direct-position"));
  EXPECT_THAT(ids("6.1.66", kPlain, "ext4"), Not(Contains("ext4-direct-position")));
}

TEST(KnownIssuesTest, SaysWhereItIsFixed) {
  const IssueMatch stable = the_match("6.1.170", kPlain, kDuplicate);
  EXPECT_THAT(stable.text, HasSubstr("6.1.170 is in the affected range of iomap-nowait-duplicate"));
  EXPECT_THAT(stable.text, HasSubstr("fixed in 6.1.176."));
  EXPECT_FALSE(stable.hint_only);
  EXPECT_THAT(the_match("6.5.3", kPlain, kDuplicate).text, HasSubstr("fixed in 6.15."));
  const IssueMatch never = the_match("6.18.44", kPlain, "io-uring-torn-append");
  EXPECT_FALSE(never.fixed_in);
  EXPECT_THAT(never.text, HasSubstr("not fixed in any kernel yet."));
}

TEST(KnownIssuesTest, ADistributionsKernelGetsAHintOnly) {
  const IssueMatch debian = the_match("6.1.0-47-cloud-amd64", "#1 SMP Debian 6.1.170-1 (2026-05-01)", kDuplicate);
  EXPECT_TRUE(debian.hint_only);
  EXPECT_THAT(debian.text, HasSubstr("6.1.170 is in"));
  EXPECT_THAT(debian.text, HasSubstr("may carry the fix all the same"));
  EXPECT_THAT(ids("6.1.0-50-cloud-amd64", "#1 SMP Debian 6.1.176-1 (2026-06-01)", "xfs"), Not(Contains(kDuplicate)));
  const IssueMatch hidden = the_match("6.1.0-47-cloud-amd64", kPlain, kDuplicate);
  EXPECT_TRUE(hidden.hint_only);
  EXPECT_THAT(hidden.text, HasSubstr("hides the patch level"));
}

TEST(KnownIssuesTest, TheTableIsSound) {
  for (const KnownIssue& issue : known_issues()) {
    EXPECT_FALSE(issue.title.empty()) << issue.id;
    EXPECT_FALSE(issue.kinds.empty()) << issue.id;
    EXPECT_FALSE(issue.filesystems.empty()) << issue.id;
    EXPECT_FALSE(issue.profiles.empty()) << issue.id;
    EXPECT_FALSE(issue.advice.empty()) << issue.id;
    EXPECT_FALSE(issue.references.empty()) << issue.id;
    EXPECT_TRUE(!issue.introduced || !issue.fixed || *issue.introduced < *issue.fixed) << issue.id;
  }
}

// What was read against what was measured.
TEST(KnownIssuesTest, WhatWasMeasuredIsInTheRangeAndWhatIsGoodIsNot) {
  std::size_t measured = 0;
  for (const KnownIssue& issue : known_issues()) {
    const auto affected = [&](const KernelVersion& version) {
      const auto matches =
          match_issues(identify_kernel({to_string(version), kPlain, "x86_64"}), issue.filesystems.front());
      return std::ranges::any_of(matches, [&](const IssueMatch& match) { return match.issue->id == issue.id; });
    };
    for (const KernelVersion& version : issue.measured_bad)
      EXPECT_TRUE(affected(version)) << issue.id << to_string(version);
    for (const KernelVersion& version : issue.measured_good)
      EXPECT_FALSE(affected(version)) << issue.id << to_string(version);
    measured += issue.measured_bad.empty() ? 0 : 1;
  }
  EXPECT_GE(measured, 1U);
}

TEST(KnownIssuesTest, SaysWhatWasMeasured) {
  constexpr char kTorn[] = "io-uring-torn-append";
  const IssueMatch measured = the_match("7.3.4+deb13-cloud-amd64", "#1 SMP Debian 7.3.4-1~bpo13+1 (2026-11-15)", kTorn);
  EXPECT_TRUE(measured.measured);
  EXPECT_THAT(measured.text, HasSubstr("Debian's kernel of this version was found to do it."));
  EXPECT_EQ(nlohmann::json(measured)["measured"], true);
  const IssueMatch other = the_match("6.14.1", kPlain, kTorn);
  EXPECT_FALSE(other.measured);
  EXPECT_THAT(other.text, Not(HasSubstr("found to do it")));
}

TEST(KnownIssuesTest, AsJson) {
  const nlohmann::json document = the_match("6.1.170", kPlain, kDuplicate);
  EXPECT_EQ(document["fixed_in"], "6.1.176");
  EXPECT_EQ(document["kinds"], (nlohmann::json{"duplicate", "nowait_contract"}));
}

}  // namespace
}  // namespace writecanary
