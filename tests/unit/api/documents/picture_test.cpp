#include "api/documents/picture.h"

#include <gmock/gmock.h>

#include <fstream>

#include "api/refusal/limits.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

json segment(std::uint64_t offset, std::uint64_t length, std::uint64_t stream, std::uint32_t writer = 0) {
  return {{"offset_bytes", offset},
          {"length_bytes", length},
          {"content", "own"},
          {"writer", writer},
          {"stream_offset_bytes", stream}};
}

json write(std::uint64_t index, std::uint64_t stream, std::uint64_t length) {
  return {{"index", index}, {"writer", 0}, {"stream_offset_bytes", stream}, {"length_bytes", length}};
}

// A file of four writes of 100,000 bytes; 8192 bytes of the second one stand twice.
json evidence() {
  return {{"file", {{"name", "f"}, {"size_bytes", 408'192}}},
          {"parts",
           {{"segments",
             {{"total", 5},
              {"items",
               {segment(0, 50'000, 0), segment(50'000, 80'000, 50'000), segment(130'000, 108'192, 121'808),
                segment(238'192, 100'000, 230'000), segment(338'192, 70'000, 330'000)}}}},
            {"boundaries",
             {{"total", 4},
              {"items", {{{"offset_bytes", 50'000}}, {{"offset_bytes", 130'000}}, {{"offset_bytes", 999'999}}}}}},
            {"log",
             {{"writers",
               {{write(0, 0, 100'000), write(1, 100'000, 100'000), write(2, 200'000, 100'000),
                 write(3, 300'000, 100'000)}}}}}}}};
}

Finding twice() {
  Finding finding;
  finding.kind = FindingKind::kDuplicate;
  finding.file = "f";
  finding.offset_bytes = 130'000;
  finding.length_bytes = 8192;
  finding.source_offset_bytes = 121'808;
  finding.write = WriteRef{1, 0, 100'000, 100'000, Route::kPunted, 100'000, 30'000};
  return finding;
}

std::vector<std::uint64_t> numbers(const json& items, const char* name) {
  std::vector<std::uint64_t> values;
  for (const auto& item : items) values.push_back(item.at(name));
  return values;
}

TEST(PictureTest, ShowsTheWriteAndANeighbourOnEitherSide) {
  const json document = evidence();
  const json picture = picture_document(twice(), &document);
  EXPECT_EQ(picture["kept"], true);
  EXPECT_EQ(picture["file"]["size_bytes"], 408'192);
  EXPECT_EQ(picture["segments_total"], 5);
  EXPECT_THAT(numbers(picture["segments"], "offset_bytes"), testing::ElementsAre(0, 50'000, 130'000, 238'192));
  EXPECT_THAT(numbers(picture["boundaries"], "offset_bytes"), testing::ElementsAre(50'000, 130'000));
  EXPECT_THAT(numbers(picture["writes"], "index"), testing::UnorderedElementsAre(1, 0, 2, 3));
}

TEST(PictureTest, WithoutEvidenceTheFindingsOwnWriteIsLeft) {
  const json picture = picture_document(twice(), nullptr);
  EXPECT_EQ(picture["kept"], false);
  EXPECT_TRUE(picture["segments"].empty());
  EXPECT_EQ(picture["file"]["size_bytes"], nullptr);
  EXPECT_THAT(numbers(picture["writes"], "index"), testing::ElementsAre(1));
}

TEST(PictureTest, IsBoundedAndSurvivesOddDocuments) {
  json many = evidence();
  json items = json::array();
  for (std::uint64_t i = 0; i < 1000; ++i) items.push_back(segment(129'000 + 8 * i, 8, 100'000 + 8 * i));
  many["parts"]["segments"]["items"] = items;
  EXPECT_EQ(picture_document(twice(), &many)["segments"].size(), kPictureItemsMax);
  for (const json& odd : {json::object(), json{{"parts", {{"segments", 7}, {"log", json::array()}}}},
                          json{{"parts", {{"segments", {{"items", {1, "x", nullptr}}}}}}, {"file", 3}}}) {
    EXPECT_EQ(picture_document(twice(), &odd)["kept"], false) << odd;
  }
}

using PictureCallTest = ApiTest;

TEST_F(PictureCallTest, ReadsTheEvidenceOfTheFindingsRun) {
  Finding finding = twice();
  const auto run = daemon.run_once("data", "append", Verdict::kCorrupt, {finding});
  EXPECT_EQ(get("/api/v1/findings/1/picture")["kept"], false);
  const std::string kept = directory.path() + "/evidence/" + std::to_string(run);
  std::filesystem::create_directories(kept);
  std::ofstream(kept + "/f.evidence.json") << evidence().dump();
  EXPECT_EQ(get("/api/v1/findings/1/picture")["segments"].size(), 4U);
  get("/api/v1/findings/2/picture", 404);
}

}  // namespace
}  // namespace writecanary::api::test
