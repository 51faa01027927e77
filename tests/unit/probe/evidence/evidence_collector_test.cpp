// What is kept of a damaged file, within which bounds, and that it can be judged again.
#include "probe/evidence/evidence_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/run/evidence_document.h"
#include "core/run/protocol.h"
#include "probe/evidence/evidence_file.h"
#include "probe/evidence/evidence_mount.h"
#include "probe/evidence/evidence_parts.h"
#include "probe/evidence/sha256.h"
#include "probe/explain.h"
#include "probe/run/content_check.h"
#include "tests/unit/probe/file_under_test.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint16_t kRunTag = 77;

class EvidenceTest : public testing::Test {
 protected:
  EvidenceTest() {
    spec_.run_id = "7";
    spec_.profile = "append";
    spec_.path = "/data";
    spec_.seed = 42;
    spec_.evidence_directory = directory_ / "kept";
    for (const std::uint64_t length : {100'000U, 65'544U}) file_.write(length);
    file_.log.writers[0][1].at_us = 1234;
    file_.overwrite(65'536, zeros(4'096));
  }

  void keep(EvidenceCollector& collector, const std::string& name = "file-1") {
    file_.log.name = name;
    const Fd fd = temporary_file(file_.content);
    collector.keep(fd.get(), file_.log, Verifier().verify(fd.get(), file_.log, 10), moment());
  }
  EvidenceCollector::Moment moment() const { return {filesystem_, pressure_, 5'000'000, 300}; }
  json document(const std::string& name = "file-1") const { return read_evidence(directory_ / "kept/" + name); }
  bool kept(const std::string& name) const { return std::filesystem::exists(directory_ / "kept/" + name); }

  TemporaryDirectory directory_;
  RunSpec spec_;
  FilesystemFacts filesystem_{"xfs", "/dev/vdb", "/data", "rw"};
  PressureFacts pressure_{"none", "", "no controller"};
  FileUnderTest file_;
};

TEST_F(EvidenceTest, OfKnownContentTheRightOneStandsBesideAndIsCompared) {
  EvidenceCollector collector(spec_);
  const Fd fd = temporary_file(file_.content);
  const Bytes right = file_.stream(0, 0, file_.content.size());
  const ContentView view{.fd = fd.get(),
                         .name = "archive/old",
                         .size_bytes = right.size(),
                         .expected =
                             [&](std::uint64_t offset, std::span<std::byte> out) {
                               std::copy_n(right.begin() + static_cast<std::ptrdiff_t>(offset), out.size(),
                                           out.begin());
                             },
                         .run_tag = kRunTag};
  const FileReport report = compare_content(view, 10);
  EXPECT_THAT(briefs(report), ElementsAre(Brief{FindingKind::kZeroed, 65'536, 4'096, {}}));
  collector.keep(view, report, moment());
  EXPECT_TRUE(kept("archive-old.expected")) << "in one directory";
  const json judged = explain(directory_ / "kept/archive-old");
  EXPECT_EQ(judged["same_as_reported"], true);
  EXPECT_EQ(judged["tampered"], json::array());

  std::ofstream(directory_ / "kept/archive-old.expected", std::ios::in).put('x');
  EXPECT_EQ(explain(directory_ / "kept/archive-old")["tampered"], json({"expected"}));
}

TEST_F(EvidenceTest, ACopyThatWasTakenIsTheOneThatIsKept) {
  EvidenceCollector collector(spec_);
  const Fd fd = temporary_file(file_.content);
  const FileReport report = Verifier().verify(fd.get(), file_.log, 10);
  file_.log.name = "file-1";
  collector.take(fd.get(), "file-1");
  ASSERT_EQ(pwrite(fd.get(), file_.stream(0, 65'536, 4'096).data(), 4'096, 65'536), 4'096) << "sets it right";
  collector.keep(fd.get(), file_.log, report, moment());
  EXPECT_EQ(explain(directory_ / "kept/file-1")["same_as_reported"], true);
}

TEST_F(EvidenceTest, HoldsTheFileAndWhatIsKnownOfIt) {
  EvidenceCollector collector(spec_);
  keep(collector);
  const json evidence = document();
  EXPECT_EQ(std::filesystem::file_size(directory_ / "kept/file-1"), file_.content.size());
  EXPECT_EQ(evidence["file"]["kept_bytes"], file_.content.size());
  const json& parts = evidence["parts"];
  EXPECT_EQ(parts["run"]["replay"], "writecanary check /data --profile append --seed 42 --writes 300 --memory 64MiB");
  EXPECT_EQ(parts["log"]["writers"][0][1]["at_us"], 1234);
  EXPECT_EQ(parts["findings"][0]["kind"], "zeroed");
  ASSERT_EQ(parts["segments"]["total"], 3);
  EXPECT_EQ(parts["segments"]["items"][1],
            (json{{"offset_bytes", 65'536}, {"length_bytes", 4'096}, {"content", "zeros"}}));
  EXPECT_EQ(parts["mount"]["source"], "/dev/vdb");
}

TEST_F(EvidenceTest, AroundABoundaryStandsWhatShouldAndWhatDoes) {
  EvidenceCollector collector(spec_);
  keep(collector);
  const json boundaries = document()["parts"]["boundaries"];
  ASSERT_EQ(boundaries["total"], 2);
  const json& first = boundaries["items"][0];
  EXPECT_EQ(first["offset_bytes"], 65'536);
  EXPECT_EQ(first["context_offset_bytes"], 65'504);
  const auto expected = first["expected_hex"].get<std::string>();
  const auto found = first["found_hex"].get<std::string>();
  EXPECT_EQ(expected.substr(0, 64), found.substr(0, 64)) << "before the boundary all is well";
  EXPECT_EQ(found.substr(64), std::string(64, '0'));
  EXPECT_EQ(boundaries["items"][1]["expected_hex"], "") << "zeros have no continuation";
}

TEST_F(EvidenceTest, EveryPartHasItsHashOrAReason) {
  EvidenceCollector collector(spec_);
  keep(collector);
  const json evidence = document();
  std::set<std::string> named;
  for (const auto& [name, part] : evidence["parts"].items()) {
    EXPECT_EQ(evidence["sha256"][name], sha256_hex(canonical_text(part))) << name;
    named.insert(name);
  }
  for (const json& missing : evidence["missing"]) {
    EXPECT_NE(missing["reason"], "");
    EXPECT_TRUE(named.insert(missing["part"]).second) << missing;
  }
  for (const char* name : {"run", "findings", "log", "segments", "boundaries", "extents", "kernel", "taint",
                           "kernel_log", "memory", "stall", "cgroup", "mount", "geometry", "xfs_geometry", "devices"}) {
    EXPECT_THAT(named, Contains(name));
  }
  EXPECT_THAT(evidence["missing"].dump(), HasSubstr("no controller")) << "a run without a cgroup has none to show";
}

TEST_F(EvidenceTest, TheFirstFilesAreKeptWithinTheBudget) {
  EvidenceCollector collector(spec_);
  for (const char* name : {"file-1", "file-2", "file-3", "file-4"}) keep(collector, name);
  EXPECT_TRUE(kept("file-3"));
  EXPECT_FALSE(kept("file-4"));

  std::filesystem::remove_all(directory_ / "kept");
  spec_.evidence_bytes_max = 100'000;
  EvidenceCollector thrifty(spec_);
  keep(thrifty, "file-1");
  keep(thrifty, "file-2");
  EXPECT_EQ(std::filesystem::file_size(directory_ / "kept/file-1"), 100'000U);
  EXPECT_EQ(document()["file"]["size_bytes"], file_.content.size());
  EXPECT_FALSE(kept("file-2"));
}

TEST_F(EvidenceTest, NothingIsKeptUnlessAskedFor) {
  spec_.evidence_directory.clear();
  EvidenceCollector collector(spec_);
  keep(collector);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(EvidenceTest, AFindingWithoutAFileHasADocumentOnce) {
  EvidenceCollector collector(spec_);
  Finding finding;
  finding.kind = FindingKind::kNowaitContract;
  finding.file = "file-1";
  collector.keep(finding, moment());
  finding.file = "file-2";
  collector.keep(finding, moment());
  EXPECT_EQ(document()["file"], nullptr);
  EXPECT_THAT(document()["missing"].dump(), HasSubstr("without judging a file"));
  EXPECT_FALSE(kept("file-1"));
  EXPECT_FALSE(kept("file-2.evidence.json"));
  EXPECT_THAT([&] { explain(directory_ / "kept/file-1"); },
              testing::ThrowsMessage<ProtocolError>(HasSubstr("this evidence has no file")));
}

TEST_F(EvidenceTest, ExplainFindsTheSame) {
  EvidenceCollector collector(spec_);
  keep(collector);
  for (const char* name : {"kept/file-1", "kept/file-1.evidence.json"}) {
    const json again = explain(directory_ / name);
    EXPECT_EQ(again["same_as_reported"], true);
    EXPECT_EQ(again["findings"], document()["parts"]["findings"]);
    EXPECT_EQ(again["finding_counts"], (json{{"zeroed", 1}}));
    EXPECT_EQ(again["tampered"], json::array());
  }
}

TEST_F(EvidenceTest, ExplainSeesWhatWasChangedSince) {
  EvidenceCollector collector(spec_);
  keep(collector);
  const std::string path = directory_ / "kept/file-1";
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(10).put('!');
  json changed = document();
  changed["parts"]["mount"]["source"] = "/dev/other";
  std::ofstream(path + kEvidenceSuffix) << changed;
  const json again = explain(path);
  EXPECT_EQ(again["same_as_reported"], false);
  EXPECT_THAT(again["tampered"], ElementsAre("mount", "file"));
}

TEST_F(EvidenceTest, ExplainRefusesWhatCannotBeJudged) {
  spec_.evidence_bytes_max = 100'000;
  EvidenceCollector collector(spec_);
  keep(collector);
  const auto refusal = [&](const std::string& text) {
    EXPECT_THAT([&] { explain(directory_ / "kept/file-1"); }, testing::ThrowsMessage<ProtocolError>(HasSubstr(text)));
  };
  refusal("only 100000 of 165544 bytes were kept");
  const json whole = document();
  const auto edited = [&](const json::json_pointer& place, const json& value) {
    json changed = whole;
    changed["file"]["kept_bytes"] = changed["file"]["size_bytes"];
    changed[place] = value;
    std::ofstream(directory_ / "kept/file-1.evidence.json") << changed;
  };
  edited("/parts/log/run_tag"_json_pointer, 0);
  refusal("run_tag");
  edited("/parts/log/writers"_json_pointer, json::array());
  refusal("writers");
  edited("/parts/log/writers/0/1/stream_offset_bytes"_json_pointer, 5);
  refusal("a write at stream offset 100000");
  edited("/parts"_json_pointer, 5);
  refusal("no evidence of writecanary");
}

TEST(Sha256Test, IsTheKnownOne) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// A partition on a loop device whose backing file lies on a device-mapper volume over two disks.
TEST(DevicesTest, AreFollowedDownToTheHardware) {
  const TemporaryDirectory sys;
  const auto device = [&](const std::string& name, const std::string& number) {
    sys.write("devices/" + name + "/dev", number + "\n");
    std::filesystem::create_directories(sys / "dev/block");
    std::filesystem::create_symlink(sys / "devices/" + name, sys / "dev/block/" + number);
  };
  device("loop0", "7:0");
  device("loop0/loop0p1", "259:0");
  sys.write("devices/loop0/loop0p1/partition", "1\n");
  sys.write("devices/loop0/loop/backing_file", "/images/x.img\n");
  device("dm-0", "253:0");
  sys.write("devices/dm-0/dm/name", "vg-images\n");
  std::filesystem::create_directories(sys / "devices/dm-0/slaves");
  for (const char* disk : {"sda", "sdb"}) {
    device(disk, disk == std::string("sda") ? "8:0" : "8:16");
    sys.write(std::string("devices/") + disk + "/device/model", "DISK 9000   \n");
    std::filesystem::create_symlink(sys / "devices/" + disk, sys / "devices/dm-0/slaves/" + disk);
  }
  const std::string mounts = sys.write("mountinfo", "30 1 253:0 / /images rw - ext4 /dev/vg/images rw\n");
  const json devices = devices_part("259:0", {.sys = sys.path(), .mountinfo = mounts});
  ASSERT_EQ(devices.size(), 5U);
  EXPECT_EQ(devices[0]["stands_on"], json{"loop0"});
  EXPECT_EQ(devices[1]["stands_on"], json{"dm-0"});
  EXPECT_EQ(devices[2]["dm_name"], "vg-images");
  EXPECT_EQ(devices[2]["stands_on"].size(), 2U);
  EXPECT_EQ(devices[3]["model"], "DISK 9000");
  EXPECT_EQ(devices[3]["stands_on"], json::array());
  EXPECT_THROW(devices_part("9:9", {.sys = sys.path(), .mountinfo = mounts}), SystemError);
}

}  // namespace
}  // namespace writecanary::probe
