// The report and what it is made of: the replay command, the picture, the table of variants.
#include "core/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/report/replay.h"
#include "core/report/segment_picture.h"
#include "core/run/protocol.h"
#include "core/text/hex_dump.h"

namespace writecanary {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

RunSpec spec() {
  RunSpec spec;
  spec.path = "/data";
  spec.profile = "append";
  spec.seed = 42;
  return spec;
}

TEST(ReplayTest, NamesAllThatMakesThePlan) {
  RunSpec given = spec();
  EXPECT_EQ(replay_command(given, 0), "writecanary check /data --profile append --seed 42 --memory 64MiB");
  EXPECT_EQ(replay_command(given, 300),
            "writecanary check /data --profile append --seed 42 --writes 300 --memory 64MiB");
  given.path = "/mnt/it's here";
  given.writes_max = 7;
  given.memory_bytes = 12'345'678;
  given.classic = true;
  given.bytes_max = 1 << 20;
  given.duration_ms = 200'000;
  given.options = {{"file_bytes", 4096}, {"headroom_bytes", 0}};
  EXPECT_EQ(
      replay_command(given, 300),
      R"(writecanary check '/mnt/it'\''s here' --profile append --seed 42 --writes 7 --memory 12345678 --classic )"
      "--duration 200000ms --option file_bytes=4096 --option headroom_bytes=0");
}

json segment(std::uint64_t offset, std::uint64_t length, const char* content, int writer = 0) {
  return {{"offset_bytes", offset},
          {"length_bytes", length},
          {"content", content},
          {"writer", writer},
          {"stream_offset_bytes", 0}};
}

TEST(ReplayTest, BytesMatterWithoutANumberOfWrites) {
  RunSpec given = spec();
  given.bytes_max = 1 << 20;
  EXPECT_EQ(replay_command(given, 0), "writecanary check /data --profile append --seed 42 --memory 64MiB --bytes 1MiB");
}

TEST(SegmentPictureTest, ShowsTheFindingAndItsNeighbours) {
  const json segments = {segment(0, 4096, "own"), segment(4096, 8192, "own"), segment(12'288, 1024, "own", 1),
                         segment(13'312, 8192, "own"), segment(21'504, 100, "own", 1)};
  EXPECT_EQ(segment_picture(segments, 12'288, 1024),
            "  offset           bytes\n"
            "  0x0000001000      8192  AAAAAAAAAAAAAAAA  writer 0, bytes 0 to 8191\n"
            "  0x0000003000      1024  BB                writer 1, bytes 0 to 1023\n"
            "  0x0000003400      8192  AAAAAAAAAAAAAAAA  writer 0, bytes 0 to 8191\n");
}

TEST(SegmentPictureTest, EachContentHasItsSign) {
  const json segments = {segment(0, 8, "zeros"), segment(8, 8, "other"), segment(16, 8, "unknown"),
                         segment(24, 8, "flipped")};
  const std::string picture = segment_picture(segments, 0, 32);
  for (const char* sign : {"  00000000", "  !!!!!!!!", "  ????????", "  ~~~~~~~~"})
    EXPECT_THAT(picture, HasSubstr(sign));
}

TEST(SegmentPictureTest, OfVeryManyTheFirstAndTheLast) {
  json segments = json::array();
  for (std::uint64_t i = 0; i < 100; ++i) segments.push_back(segment(8 * i, 8, "own", i % 2));
  const std::string picture = segment_picture(segments, 0, 800);
  EXPECT_THAT(picture, HasSubstr("... 90 segments more ...\n"));
  EXPECT_EQ(std::ranges::count(picture, '\n'), 12);
  EXPECT_EQ(segment_picture(segments, 5000, 10), "");
}

TEST(HexDumpTest, ShowsBothSidesAndMarksDifferences) {
  EXPECT_EQ(side_by_side(0, "", ""), "");
  EXPECT_EQ(side_by_side(4096, "00112233445566778899", "0011223344556677aa"),
            "  offset        expected                 found\n"
            "  0x0000001000  00 11 22 33 44 55 66 77  00 11 22 33 44 55 66 77\n"
            "  0x0000001008  88 99                    aa --  <\n");
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    finding_.kind = FindingKind::kTorn;
    finding_.file = "file-1";
    finding_.offset_bytes = 12'288;
    finding_.length_bytes = 1024;
    finding_.detail = std::string("a sentence of many words that has to be filled ") + "into lines of bounded length";
    finding_.expected_hex = "0011";
    finding_.found_hex = "0022";
    run_.profile = "append-interposed";
    run_.kernel = {"6.1.170", "#1 SMP", "x86_64"};
    run_.filesystem = {"xfs", "/dev/vdb", "/data", "rw"};
    run_.end.verdict = Verdict::kCorrupt;
    run_.end.reason = "1 torn";
    run_.end.tally.add(FindingKind::kTorn, 1024);
  }

  ReportFacts facts() { return {.finding = finding_, .run = run_, .replay = replay_command(spec(), 300)}; }

  Finding finding_;
  RunResult run_;
};

TEST_F(ReportTest, SaysEverythingThatAStrangerNeeds) {
  const json evidence = {
      {"file", {{"name", "file-1"}, {"kept_bytes", 100}, {"size_bytes", 100}, {"sha256", "abcd"}}},
      {"parts",
       {{"segments", {{"items", {segment(0, 12'288, "own"), segment(12'288, 1024, "own", 1)}}, {"total", 2}}},
        {"taint", {{"flags", 1}, {"letters", "P"}}},
        {"devices", {{{"name", "dm-0"}, {"dm_name", "vg-data"}}, {{"name", "sda"}, {"model", "DISK 9000"}}}}}}};
  ReportFacts given = facts();
  given.evidence = &evidence;
  given.evidence_location = "/var/evidence/7";
  run_.end.attribution = {{.variant = Variant::kAsync, .runs = 5, .writes = 1500, .exposures = 1499}};
  finding_.views = {.hot = Look::kWrong, .cold = Look::kRight, .direct = Look::kNotLooked};
  const std::string text = report_text(given);
  for (const char* part :
       {"torn on xfs, Linux 6.1.170: 1024 bytes at offset 12288 (0x3000) of file-1\n", "\nKernel:       6.1.170 #1 SMP",
        "Devices:      dm-0 (vg-data) on sda (DISK 9000)", "Taint:        1 (P)", "io-uring-torn-append",
        "  0x0000003000      1024  B  ", "\n  writecanary check /data --profile append --seed 42 --writes 300",
        "  IOSQE_ASYNC                       5             0    1500     1499         0\n",
        "Views:        wrong in the page cache, right on the device\n", "Evidence:     /var/evidence/7\n", "sha256"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(ReportTest, LeavesOutWhatThereIsNot) {
  const std::string text = report_text(facts());
  EXPECT_THAT(text, Not(HasSubstr("Repeated with the same seed")));
  EXPECT_THAT(text, Not(HasSubstr("Evidence:")));
  EXPECT_THAT(text, Not(HasSubstr("What stands where")));
  EXPECT_THAT(text, Not(HasSubstr("iomap-nowait-duplicate"))) << "a known issue of another kind";
}

TEST_F(ReportTest, NamesTheWriteThatStandsInside) {
  finding_.intruder = WriteRef{.index = 9,
                               .writer = 2,
                               .stream_offset_bytes = 4096,
                               .length_bytes = 100,
                               .route = Route::kInline,
                               .result = 100};
  EXPECT_THAT(report_text(facts()), HasSubstr("Intruder:     write 9 of writer 2: 100 bytes, inline, result 100"));
}

TEST_F(ReportTest, AProcessThatHangsHasNoPlace) {
  finding_ = {};
  finding_.kind = FindingKind::kStuck;
  const std::string text = report_text(facts());
  EXPECT_THAT(text, testing::StartsWith("stuck on xfs, Linux 6.1.170\n\n"));
  EXPECT_THAT(text, Not(HasSubstr("Place:")));
}

TEST_F(ReportTest, LinesFitAMail) {
  std::istringstream lines(report_text(facts()));
  for (std::string line; std::getline(lines, line);) {
    const bool command = line.starts_with("  writecanary check");
    EXPECT_TRUE(command || line.size() <= 78) << line;
  }
}

}  // namespace
}  // namespace writecanary
