#include "cli/client/sse.h"

#include <gtest/gtest.h>

#include <vector>

#include "cli/terminal/environment.h"

namespace writecanary::cli {
namespace {

constexpr std::string_view kStream =
    ": hello\n"
    "id: 7\nevent: run.started\ndata: {\"run_id\": 1}\n\n"
    "event: run.progress\r\ndata: a\r\ndata:b\r\n\r\n"
    ":keep-alive\n\n"
    "id: 9\rdata: last\r\r";

std::vector<SseEvent> read_in_chunks(std::string_view stream, std::size_t chunk) {
  SseReader reader;
  std::vector<SseEvent> events;
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    reader.feed(stream.substr(at, chunk), [&](const SseEvent& event) {
      events.push_back(event);
      return true;
    });
  }
  return events;
}

TEST(Sse, ReadsTheSameEventsHoweverTheStreamIsCut) {
  for (std::size_t chunk = 1; chunk <= kStream.size(); ++chunk) {
    const auto events = read_in_chunks(kStream, chunk);
    ASSERT_EQ(events.size(), 3U) << "cut into pieces of " << chunk;
    EXPECT_EQ(events[0].id, "7");
    EXPECT_EQ(events[0].type, "run.started");
    EXPECT_EQ(events[0].data, "{\"run_id\": 1}");
    EXPECT_EQ(events[1].id, "7") << "an event without an id keeps the last one";
    EXPECT_EQ(events[1].type, "run.progress");
    EXPECT_EQ(events[1].data, "a\nb");
    EXPECT_EQ(events[2].id, "9");
    EXPECT_EQ(events[2].type, "message");
    EXPECT_EQ(events[2].data, "last");
  }
}

TEST(Sse, AnEventThatWasCutOffIsNoEvent) { EXPECT_TRUE(read_in_chunks("event: finding\ndata: {}\n", 4).empty()); }

TEST(Sse, AnEventWithoutDataIsNotTold) { EXPECT_TRUE(read_in_chunks("event: finding\n\n", 4).empty()); }

TEST(Sse, StopsWhenTold) {
  SseReader reader;
  int told = 0;
  EXPECT_FALSE(reader.feed("data: 1\n\ndata: 2\n\n", [&](const SseEvent&) { return ++told < 1; }));
  EXPECT_EQ(told, 1);
}

TEST(Sse, RefusesAnEndlessLine) {
  SseReader reader;
  EXPECT_THROW(reader.feed(std::string((1 << 20) + 1, 'x'), [](const SseEvent&) { return true; }), CommandError);
}

}  // namespace
}  // namespace writecanary::cli
