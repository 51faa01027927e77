#include "core/run/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/limits.h"
#include "tests/unit/core/samples.h"

namespace writecanary {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

std::vector<Event> every_event() {
  return {sample_hello(),
          Progress{.elapsed_seconds = 0.25, .fraction = 0.5, .counters = sample_counters(), .tally = sample_tally()},
          FindingEvent{sample_finding()}, FindingEvent{sample_finding(), true}, sample_run_end()};
}

TEST(Protocol, EveryEventComesBackAsItWas) {
  const char* const names[] = {"hello", "progress", "finding", "finding", "run_end"};
  const std::vector<Event> events = every_event();
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::string line = encode(events[i]);
    EXPECT_EQ(json::parse(line).at("event"), names[i]);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const Event back = decode(line);
    EXPECT_EQ(back.index(), events[i].index());
    EXPECT_EQ(encode(back), line);
  }
}

TEST(Protocol, ValuesSurvive) {
  const auto hello = std::get<Hello>(decode(encode(sample_hello())));
  EXPECT_EQ(hello.protocol, kProtocolVersion);
  EXPECT_EQ(hello.seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(hello.filesystem.options, "rw,noatime");
  const auto end = std::get<RunEnd>(decode(encode(sample_run_end())));
  EXPECT_EQ(end.verdict, Verdict::kCorrupt);
  EXPECT_EQ(end.duration_seconds, 0.1);
  EXPECT_EQ(end.first_finding_seconds, 1.0 / 3);
  EXPECT_EQ(end.tally.bytes_of(FindingKind::kTorn), 128U);
  RunEnd without = sample_run_end();
  without.first_finding_seconds.reset();
  EXPECT_EQ(std::get<RunEnd>(decode(encode(without))).first_finding_seconds, std::nullopt);
}

TEST(Protocol, BytesThatAreNotUtf8DoNotBreakTheStream) {
  Hello hello = sample_hello();
  hello.filesystem.source = "/dev/\xff\xfe";
  EXPECT_EQ(std::get<Hello>(decode(encode(hello))).filesystem.source, R"(/dev/\xff\xfe)");
}

TEST(Protocol, EveryFieldOfAnEventMustBeThere) {
  for (const Event& event : every_event()) {
    const json whole = json::parse(encode(event));
    for (const auto& [key, value] : whole.items()) {
      json incomplete = whole;
      incomplete.erase(key);
      if (key == "first_finding_seconds" || (key == "filesystem" && whole.at("event") == "run_end")) {
        EXPECT_NO_THROW(decode(incomplete.dump()));
      } else {
        EXPECT_THAT([&] { decode(incomplete.dump()); },
                    ThrowsMessage<ProtocolError>(HasSubstr(key + ": this field is missing")));
      }
    }
  }
}

TEST(Protocol, RefusesWhatIsNotAnEvent) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "event: not JSON: "},
      {"killed", "event: not JSON: killed"},
      {R"({"event": "hello")", "event: not JSON: {\"event\": \"hello\""},
      {"[1]", "event: expected an object, got [1]"},
      {"{}", "event: event: this field is missing"},
      {R"({"event": 1})", "event: event: expected a string, got 1"},
      {R"({"event": "bye"})", "event: event: expected hello, progress, finding or run_end, got \"bye\""},
  };
  for (const auto& [line, error] : cases) {
    EXPECT_THAT([text = line] { decode(text); }, ThrowsMessage<ProtocolError>(error));
  }
}

TEST(Protocol, AnotherVersionIsRefusedWhateverElseItSays) {
  EXPECT_THAT([] { decode(R"({"event": "hello", "protocol": 1})"); },
              ThrowsMessage<ProtocolError>("hello: the probe speaks protocol 1, this program 3: install both from the "
                                           "same release"));
}

TEST(Protocol, RefusesAVerdictThatDoesNotExist) {
  json end = json::parse(encode(sample_run_end()));
  end["verdict"] = "fine";
  EXPECT_THAT([&] { decode(end.dump()); },
              ThrowsMessage<ProtocolError>("run_end: verdict: expected a verdict, got \"fine\""));
}

TEST(Protocol, LongLineIsNotEncoded) {
  RunEnd end;
  end.reason = std::string(kProtocolLineBytes, 'x');
  EXPECT_THAT([&] { encode(end); }, ThrowsMessage<ProtocolError>(HasSubstr("more than a line may have (65536)")));
}

class LineReaderTest : public testing::Test {
 protected:
  void feed(std::string_view bytes) {
    reader_.feed(bytes, [this](std::string_view line) { lines_.emplace_back(line); });
  }
  LineReader reader_;
  std::vector<std::string> lines_;
};

TEST_F(LineReaderTest, CutsAtNewlines) {
  feed("one\ntwo\n\nthree");
  EXPECT_THAT(lines_, ElementsAre("one", "two", ""));
  feed("");
  feed("\n");
  EXPECT_THAT(lines_, ElementsAre("one", "two", "", "three"));
}

TEST_F(LineReaderTest, JoinsPiecesOfAnySize) {
  const std::string text = "{\"a\": 1}\n{\"b\": 2}\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    lines_.clear();
    for (std::size_t at = 0; at < text.size(); at += size) feed(std::string_view(text).substr(at, size));
    EXPECT_THAT(lines_, ElementsAre("{\"a\": 1}", "{\"b\": 2}")) << "pieces of " << size;
  }
}

TEST_F(LineReaderTest, TakesTheLongestLineAndNotOneByteMore) {
  const std::string longest(kProtocolLineBytes, 'x');
  feed(longest + "\n");
  EXPECT_THAT(lines_, ElementsAre(longest));
  feed(longest);
  EXPECT_THAT([this] { feed("x"); }, ThrowsMessage<ProtocolError>("event: a line is longer than 65536 bytes"));
}

TEST_F(LineReaderTest, LongLineIsRefusedBeforeItsEnd) {
  EXPECT_THAT([this] { feed("ok\n" + std::string(kProtocolLineBytes + 1, 'x') + "\n"); },
              ThrowsMessage<ProtocolError>(StartsWith("event: a line is longer")));
  EXPECT_THAT(lines_, ElementsAre("ok"));
}

}  // namespace
}  // namespace writecanary
