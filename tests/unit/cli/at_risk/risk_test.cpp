#include "cli/at_risk/risk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/at_risk/answer.h"
#include "tests/unit/cli/support.h"

namespace writecanary::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

KernelIdentity kernel(int major, int minor, int patch) { return {KernelVersion{major, minor, patch}, true, false}; }

Mount mount(const std::string& device, const std::string& type, const std::string& source) {
  return {.device = device, .mount_point = "/" + type, .options = "rw", .type = type, .source = source};
}
const Mount kXfs = mount("7:0", "xfs", "/dev/loop0");
const Mount kExt4 = mount("8:1", "ext4", "/dev/sda1");
const Mount kNfs = mount("0:50", "nfs4", "server:/export");

std::vector<std::string> names(const std::vector<IssueMatch>& issues) {
  std::vector<std::string> ids;
  for (const IssueMatch& match : issues) ids.push_back(match.issue->id);
  return ids;
}

AppendFile file(const std::string& path, const std::optional<Mount>& on) {
  return {.path = path, .fds = {4}, .mount = on};
}

Scan sample() {
  RingHolder ext4{{7, "a"}, 1, 0, {file("/ext4/log", kExt4)}};
  RingHolder xfs{{8, "b", {.unit = "b.service"}}, 2, 1, {file("/xfs/log", kXfs), file("/nfs4/log", kNfs)}, {"/gone"}};
  xfs.appends.push_back(file("/xfs/.writecanary/run/file-1", kXfs));
  xfs.appends.push_back(file("/xfs/direct", kXfs));
  xfs.appends.back().is_direct = true;
  RingHolder hidden{{9, "c"}, 0, 1, {file("/lost", std::nullopt)}};
  return {12, {ext4, xfs, hidden}, {}};
}

TEST(AppendIssuesTest, OnlyThoseOfAppendsThatFitTheKernel) {
  EXPECT_EQ(names(append_issues(kernel(6, 1, 170), "xfs")),
            (std::vector<std::string>{"iomap-nowait-duplicate", "io-uring-torn-append"}));
  EXPECT_EQ(names(append_issues(kernel(6, 18, 44), "xfs")), std::vector<std::string>{"io-uring-torn-append"});
  EXPECT_THAT(append_issues(kernel(6, 18, 44), "ext4"), IsEmpty());
  EXPECT_THAT(append_issues(kernel(5, 10, 0), "xfs"), IsEmpty());
}

TEST(AssessTest, OnAnyLocalFilesystemWithKnownIssuesFirst) {
  const Risk risk = assess(sample(), kernel(6, 18, 44), std::nullopt);
  ASSERT_THAT(risk.files, SizeIs(2));
  EXPECT_EQ(risk.files[0].file.path, "/xfs/log");
  EXPECT_THAT(risk.files[0].issues, SizeIs(1));
  EXPECT_EQ(risk.files[1].file.path, "/ext4/log");
  EXPECT_THAT(risk.files[1].issues, IsEmpty());
  EXPECT_EQ(risk.elsewhere, 2U);
  EXPECT_EQ(risk.direct, 1U);
  EXPECT_EQ(risk.own, 1U);
  EXPECT_THAT(risk.closed, SizeIs(1));
  EXPECT_THAT(risk.without_ring, SizeIs(1));
}

TEST(AssessTest, OnOneFilesystemByItsDevice) {
  Mount other_mount = kXfs;
  other_mount.mount_point = "/elsewhere";
  const Risk risk = assess(sample(), kernel(6, 18, 44), other_mount);
  ASSERT_THAT(risk.files, SizeIs(1));
  EXPECT_EQ(risk.files[0].process.pid, 8);
  EXPECT_EQ(risk.elsewhere, 3U);
}

AtRiskAnswer answer() {
  AtRiskAnswer made;
  made.kernel.release = "6.18.44-x";
  made.issues = append_issues(kernel(6, 18, 44), "");
  Scan scan = sample();
  made.processes = scan.processes;
  made.risk = assess(scan, kernel(6, 18, 44), std::nullopt);
  made.daemon = {.url = "http://127.0.0.1:1", .reached = true, .kernel = "6.18.44-x", .incidents = {{"torn", 3}}};
  return made;
}

TEST(AnswerTest, TheDocumentNamesProcessUnitAndFile) {
  const nlohmann::json document = to_document(answer());
  const nlohmann::json& first = document.at("at_risk").at(0);
  EXPECT_EQ(first.at("pid"), 8);
  EXPECT_EQ(first.at("unit"), "b.service");
  EXPECT_EQ(first.at("container"), nullptr);
  EXPECT_EQ(first.at("file"), "/xfs/log");
  EXPECT_EQ(first.at("known_issues"), nlohmann::json({"io-uring-torn-append"}));
  EXPECT_EQ(document.at("daemon").at("incidents").at("torn"), 3);
  EXPECT_EQ(document.at("unknown").at("registered_and_closed").at(0).at("file"), "/gone");
  EXPECT_EQ(document.at("watch"), nullptr);
}

TEST(AnswerTest, PeopleReadTheSame) {
  TestEnvironment at;
  AtRiskAnswer made = answer();
  made.unreadable.push_back({{1, "init"}, "Permission denied (EACCES)"});
  made.watched = Watched{.duration = std::chrono::seconds(2), .lost_events = 5};
  made.watched->punted.push_back({{8, "b", {.unit = "b.service"}}, "WRITE", file("/xfs/log", kXfs), 17, 0});
  print_answer(at.environment, made);
  for (const char* text :
       {"/xfs/log", "b.service", "io-uring-torn-append", "open or known incidents of 6.18.44-x: torn 3.", "17",
        "5 events were lost", "Ask as root", "RWF_APPEND", "/gone"}) {
    EXPECT_THAT(at.out.str(), HasSubstr(text));
  }
}

TEST(AnswerTest, NobodyAtRiskIsSaidWithWhatCannotBeTold) {
  TestEnvironment at;
  AtRiskAnswer made = answer();
  made.risk = {};
  made.issues = {};
  made.daemon = {.url = "x", .why = "no daemon there"};
  made.watched = Watched{.why_not = "no tracefs"};
  print_answer(at.environment, made);
  for (const char* text : {"None of 12 processes", "No known issue", "no daemon there", "no tracefs", "RWF_APPEND"}) {
    EXPECT_THAT(at.out.str(), HasSubstr(text));
  }
  EXPECT_THAT(at.out.str(), Not(HasSubstr("PID")));
}

}  // namespace
}  // namespace writecanary::cli
