#include <fstream>
#include <regex>

#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

class FindingsTest : public ApiTest {
 protected:
  FindingsTest() : run(daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()})) {}
  std::int64_t run;
};

TEST_F(FindingsTest, ListsAndShows) {
  const auto page = get("/api/v1/findings");
  ASSERT_EQ(page["items"].size(), 1U);
  EXPECT_EQ(page["next_cursor"], nullptr);
  const auto finding = get("/api/v1/findings/1");
  EXPECT_EQ(finding, page["items"][0]);
  EXPECT_EQ(finding["kind"], "duplicate");
  EXPECT_EQ(finding["class"], "corruption");
  EXPECT_EQ(finding["run_id"], run);
  EXPECT_EQ(finding["write"]["route"], "punted");
  EXPECT_EQ(finding["acknowledged"], false);
  EXPECT_EQ(get("/api/v1/findings/2", 404)["type"], "/problems/unknown-finding");
}

TEST_F(FindingsTest, Filters) {
  auto torn = duplicate_finding();
  torn.kind = FindingKind::kTorn;
  daemon.run_once("logs", "nowait-contract", Verdict::kCorrupt, {torn});
  post("/api/v1/findings/1/ack", {{"note", "known"}}, 200);
  const auto count = [&](const std::string& query) { return get("/api/v1/findings?" + query)["items"].size(); };
  EXPECT_EQ(count("kind=torn"), 1U);
  EXPECT_EQ(count("kind=stale"), 0U);
  EXPECT_EQ(count("acknowledged=true"), 1U);
  EXPECT_EQ(count("acknowledged=false&target=data"), 0U);
  EXPECT_EQ(count("run_id=" + std::to_string(run)), 1U);
  EXPECT_EQ(count("profile=append"), 1U);
  EXPECT_EQ(count("kernel=6.1.170"), 2U);
  EXPECT_EQ(count("since=1780000001"), 0U);
  for (const char* query : {"kind=bad", "acknowledged=yes", "run_id=0", "verdict=clean"}) {
    EXPECT_EQ(get("/api/v1/findings?" + std::string(query), 400)["errors"].size(), 1U) << query;
  }
}

TEST_F(FindingsTest, ACursorOfRunsIsNoCursorOfFindings) {
  daemon.run_once("data", "append", Verdict::kClean);
  const auto cursor = get("/api/v1/runs?limit=1")["next_cursor"].get<std::string>();
  EXPECT_EQ(get("/api/v1/findings?cursor=" + cursor, 400)["errors"][0]["field"], "cursor");
}

TEST_F(FindingsTest, AcknowledgesWithANote) {
  EXPECT_EQ(post("/api/v1/findings/1/ack", json::object(), 422)["errors"][0]["field"], "note");
  EXPECT_EQ(post("/api/v1/findings/1/ack", {{"note", ""}}, 422)["errors"][0]["detail"], "is required");
  const auto finding = post("/api/v1/findings/1/ack", {{"note", "fixed by 6.1.176"}}, 200);
  EXPECT_EQ(finding["acknowledged"], true);
  EXPECT_EQ(finding["acknowledged_by"], "127.0.0.1");
  EXPECT_EQ(finding["note"], "fixed by 6.1.176");
  post("/api/v1/findings/9/ack", {{"note", "x"}}, 404);
}

TEST_F(FindingsTest, ReportReadsAsMail) {
  auto http = client();
  const auto answer = http.Get("/api/v1/findings/1/report");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; charset=utf-8");
  const std::string& text = answer->body;
  const std::string words = std::regex_replace(text, std::regex("\\s+"), " ");
  for (const char* part : {"duplicate on xfs, Linux 6.1.170: 8192 bytes at offset 528384 (0x81000) of run-1-0.bin\n",
                           "Belongs to:   offset 520192 (0x7f000)", "xfs on /dev/loop0, mounted on /data",
                           "Must hold:    the file holds each write once",
                           "  0x0000080ff8  00 01 02 03 04 05 06 07  00 01 02 03 04 05 06 07\n",
                           "  0x0000081000  08 09 0a 0b 0c 0d 0e 0f  f8 f9 fa fb fc fd fe ff  <\n",
                           "  writecanary check /data --profile append --seed 42 --writes 500 --memory 64MiB\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nis not in\n" << text;
  }
  for (const char* part :
       {"write 3 of writer 0: 262144 bytes, punted, result 262144, stream offset 520192 (0x7f000), file grew by 8192",
        "page aligned", "99 exposures", "6.1.170 is in the affected range of iomap-nowait-duplicate",
        "fixed in 6.1.176"}) {
    EXPECT_NE(words.find(part), std::string::npos) << part << "\nis not in\n" << text;
  }
  EXPECT_EQ(get("/api/v1/findings/9/report", 404)["type"], "/problems/unknown-finding");
}

TEST_F(FindingsTest, ReproducerIsAProgramWithTheNumbersOfTheRun) {
  auto http = client();
  const auto answer = http.Get("/api/v1/findings/1/reproducer");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/x-c; charset=utf-8");
  for (const char* part : {"6.1.170", "finding 1 of run 1 on target", "#define SEED 42ull\n", "int main(int argc"}) {
    EXPECT_NE(answer->body.find(part), std::string::npos) << part << "\nis not in\n" << answer->body.substr(0, 1000);
  }
  EXPECT_EQ(get("/api/v1/findings/9/reproducer", 404)["type"], "/problems/unknown-finding");
}

// The archive as tar(1) sees it.
std::string unpack(const TemporaryDirectory& directory, const std::string& archive) {
  const std::string path = directory.path() + "/evidence.tar";
  std::ofstream(path, std::ios::binary) << archive;
  const std::string command = "tar -C " + directory.path() + " -xf " + path + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return directory.path() + "/writecanary-finding-1/";
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(FindingsTest, EvidenceIsATarOfEverything) {
  const std::string kept = directory.path() + "/evidence/" + std::to_string(run) + "/sub";
  std::filesystem::create_directories(kept);
  std::string damaged(300'001, 'x');
  damaged[150'000] = '\0';
  std::ofstream(kept + "/damaged.bin", std::ios::binary) << damaged;
  std::filesystem::create_symlink("/etc/passwd", kept + "/link");
  auto http = client();
  const auto answer = http.Get("/api/v1/findings/1/evidence");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/x-tar");
  EXPECT_EQ(answer->get_header_value("Content-Disposition"), "attachment; filename=\"writecanary-finding-1.tar\"");
  const TemporaryDirectory unpacked;
  const std::string root = unpack(unpacked, answer->body);
  EXPECT_EQ(json::parse(content_of(root + "finding.json"))["kind"], "duplicate");
  EXPECT_EQ(json::parse(content_of(root + "run.json"))["spec"]["path"], "/data");
  EXPECT_NE(content_of(root + "report.txt").find("0x81000"), std::string::npos);
  EXPECT_EQ(content_of(root + "evidence/sub/damaged.bin"), damaged);
  EXPECT_FALSE(std::filesystem::exists(root + "evidence/sub/link"));
  EXPECT_FALSE(std::filesystem::exists(root + "OMITTED.txt"));
}

TEST_F(FindingsTest, EvidenceNeedsNoKeptFiles) {
  auto http = client();
  const auto answer = http.Get("/api/v1/findings/1/evidence");
  ASSERT_TRUE(answer);
  const TemporaryDirectory unpacked;
  EXPECT_TRUE(std::filesystem::exists(unpack(unpacked, answer->body) + "report.txt"));
}

TEST_F(FindingsTest, EvidenceSaysWhatItLeavesOut) {
  const std::string kept = directory.path() + "/evidence/" + std::to_string(run);
  std::filesystem::create_directories(kept);
  std::ofstream(kept + "/small.bin") << "small";
  std::ofstream(kept + "/vast.bin") << "";
  std::filesystem::resize_file(kept + "/vast.bin", 300ULL << 20);  // sparse
  auto http = client();
  const auto answer = http.Get("/api/v1/findings/1/evidence");
  ASSERT_TRUE(answer);
  const TemporaryDirectory unpacked;
  const std::string root = unpack(unpacked, answer->body);
  EXPECT_EQ(content_of(root + "OMITTED.txt"), "vast.bin (314572800 bytes)\n");
  EXPECT_EQ(content_of(root + "evidence/small.bin"), "small");
}

}  // namespace
}  // namespace writecanary::api::test
