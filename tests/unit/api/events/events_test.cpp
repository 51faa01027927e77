#include <condition_variable>
#include <set>
#include <thread>

#include "api/events/event_feed.h"
#include "api/refusal/limits.h"
#include "core/base/limits.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{60};

struct SentEvent {
  std::optional<std::int64_t> id;
  std::string type;
  json data;
};

std::vector<SentEvent> parse_events(const std::string& text) {
  std::vector<SentEvent> events;
  std::istringstream lines(text);
  SentEvent event;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("id: ")) event.id = std::stoll(line.substr(4));
    if (line.starts_with("event: ")) event.type = line.substr(7);
    if (line.starts_with("data: ")) event.data = json::parse(line.substr(6));
    if (line.empty()) {
      if (!event.type.empty()) events.push_back(event);
      event = {};
    }
  }
  return events;
}

std::vector<std::string> types_of(const std::vector<SentEvent>& events) {
  std::vector<std::string> types;
  types.reserve(events.size());
  for (const auto& event : events) types.push_back(event.type);
  return types;
}

// An EventSource: reads on its own thread until it is closed or the server ends the stream.
class EventClient {
 public:
  EventClient(int port, const std::string& path, const httplib::Headers& headers = {})
      : http_("127.0.0.1", port), thread_([this, path, headers] { read(path, headers); }) {}
  ~EventClient() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    http_.stop();
    thread_.join();
  }

  // Waits until the text so far says what is wanted; what it is by then.
  template <typename Predicate>
  std::string wait_until(const Predicate& wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return wanted(text_); })) << text_;
    return text_;
  }
  std::string wait_for(const std::string& part) {
    return wait_until([&](const std::string& text) { return text.find(part) != std::string::npos; });
  }
  void wait_connected() { wait_for("retry: "); }
  // Everything, once the server has ended the stream.
  std::string wait_end() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return ended_; })) << text_;
    return text_;
  }

 private:
  void read(const std::string& path, const httplib::Headers& headers) {
    http_.set_read_timeout(kPatience);
    http_.Get(path, headers, [this](const char* data, std::size_t size) {
      const std::lock_guard lock(mutex_);
      text_.append(data, size);
      changed_.notify_all();
      return !closing_;
    });
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  httplib::Client http_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;      // guarded by mutex_
  bool ended_ = false;    // guarded by mutex_
  bool closing_ = false;  // guarded by mutex_
  std::thread thread_;
};

using EventsTest = ApiTest;

TEST_F(EventsTest, StreamsWhatHappensFromNowOn) {
  daemon.run_once("data", "append", Verdict::kClean);  // before: not sent
  EventClient stream(port(), "/api/v1/events");
  stream.wait_connected();
  const auto id = daemon.add_run("logs", "append");
  daemon.start_run(id);
  daemon.publish_progress(id);
  daemon.finish_run(id, Verdict::kCorrupt, {duplicate_finding()});
  const auto events = parse_events(stream.wait_for("event: run.finished"));
  EXPECT_EQ(types_of(events),
            std::vector<std::string>({"run.queued", "run.started", "run.progress", "incident.opened", "run.finished"}));
  EXPECT_FALSE(events[2].id);
  EXPECT_EQ(events[3].data["kind"], "duplicate");
  EXPECT_EQ(events[4].data["verdict"], "corrupt");
  EXPECT_EQ(events[4].data["target"], "logs");
}

TEST_F(EventsTest, PauseAndAcknowledgeAreEvents) {
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  EventClient stream(port(), "/api/v1/events");
  stream.wait_connected();
  post("/api/v1/targets/data/pause", {{"note", "x"}}, 200);
  post("/api/v1/targets/data/resume", json::object(), 200);
  post("/api/v1/findings/1/ack", {{"note", "x"}}, 200);
  const auto events = parse_events(stream.wait_for("event: incident.acknowledged"));
  EXPECT_EQ(types_of(events), std::vector<std::string>({"target.paused", "target.resumed", "incident.acknowledged"}));
}

TEST_F(EventsTest, AFinishedRunReplaysAndEnds) {
  daemon.run_once("logs", "append", Verdict::kClean);
  const auto id = daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  EventClient stream(port(), "/api/v1/runs/" + std::to_string(id) + "/events");
  const auto events = parse_events(stream.wait_end());
  EXPECT_EQ(types_of(events),
            std::vector<std::string>({"run.queued", "run.started", "incident.opened", "run.finished"}));
  // Resumed after its last event, there is nothing left to wait for.
  EventClient again(port(), "/api/v1/runs/" + std::to_string(id) + "/events",
                    {{"Last-Event-ID", std::to_string(*events.back().id)}});
  EXPECT_TRUE(parse_events(again.wait_end()).empty());
}

TEST_F(EventsTest, ARunningRunReplaysThenFollowsThenEnds) {
  const auto other = daemon.add_run("logs", "append");
  const auto id = daemon.add_run("data", "append");
  EventClient stream(port(), "/api/v1/runs/" + std::to_string(id) + "/events");
  stream.wait_for("event: run.queued");
  daemon.start_run(id);
  daemon.publish_progress(id);
  daemon.publish_progress(other);
  daemon.finish_run(id, Verdict::kClean);
  const auto events = parse_events(stream.wait_end());
  EXPECT_EQ(types_of(events), std::vector<std::string>({"run.queued", "run.started", "run.progress", "run.finished"}));
  for (const auto& event : events) {
    EXPECT_EQ(event.data.contains("run_id") ? event.data["run_id"] : event.data["id"], id) << event.data;
  }
}

TEST_F(EventsTest, ResumesAfterLastEventId) {
  daemon.run_once("data", "append", Verdict::kClean);
  const auto all = reader.events_after(0, std::nullopt, 100);
  ASSERT_EQ(all.size(), 3U);
  EventClient stream(port(), "/api/v1/events", {{"Last-Event-ID", std::to_string(all[0].id)}});
  stream.wait_for("event: run.finished");
  daemon.add_run("data", "append");
  const auto events = parse_events(stream.wait_for("event: run.queued"));
  EXPECT_EQ(types_of(events), std::vector<std::string>({"run.started", "run.finished", "run.queued"}));
  EventClient from_start(port(), "/api/v1/events", {{"Last-Event-ID", "0"}});
  EXPECT_EQ(parse_events(from_start.wait_for("event: run.finished"))[0].type, "run.queued");
}

TEST_F(EventsTest, AnIdOfADatabaseThatIsNoMoreSilencesNoStream) {
  const auto id = daemon.run_once("data", "append", Verdict::kClean);
  EventClient all(port(), "/api/v1/events", {{"Last-Event-ID", "9007199254740993"}});
  all.wait_connected();
  daemon.add_run("data", "append");
  EXPECT_EQ(types_of(parse_events(all.wait_for("event: run.queued"))), std::vector<std::string>({"run.queued"}));
  EventClient of_run(port(), "/api/v1/runs/" + std::to_string(id) + "/events", {{"Last-Event-ID", "4711"}});
  EXPECT_EQ(types_of(parse_events(of_run.wait_end())),
            std::vector<std::string>({"run.queued", "run.started", "run.finished"}));
}

TEST_F(EventsTest, RefusesABadEventIdAndUnknownRuns) {
  auto http = client();
  const auto answer = http.Get("/api/v1/events", {{"Last-Event-ID", "x"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(get("/api/v1/runs/9/events", 404)["type"], "/problems/unknown-run");
}

// Streams that begin while events are being made see each exactly once, in order.
TEST_F(EventsTest, NothingIsLostOrDoubledAtTheSeam) {
  constexpr int kRuns = 60;
  std::thread maker([this] {
    for (int i = 0; i < kRuns; ++i) daemon.add_run("data", "append");
  });
  std::vector<std::unique_ptr<EventClient>> streams;
  streams.reserve(6);
  for (int i = 0; i < 6; ++i) {
    streams.push_back(
        std::make_unique<EventClient>(port(), "/api/v1/events", httplib::Headers{{"Last-Event-ID", "0"}}));
  }
  maker.join();
  const auto last = daemon.add_run("data", "append");
  for (auto& stream : streams) {
    const auto events = parse_events(stream->wait_for("\"run_id\":" + std::to_string(last) + ","));
    ASSERT_EQ(events.size(), kRuns + 1U);
    for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].data["run_id"], i + 1);
  }
}

// Deterministic, without HTTP: the hub forgets while the feed does not look.
TEST_F(EventsTest, AFeedThatFellBehindCatchesUpFromTheDatabase) {
  EventFeed feed(reader, hub, std::nullopt, std::nullopt);
  EXPECT_EQ(feed.next(milliseconds(0)), "");  // the database, then live
  const auto id = daemon.add_run("data", "append");
  for (std::size_t i = 0; i < kLiveEventsMax; ++i) daemon.publish_progress(id);
  daemon.start_run(id);
  std::string text;
  for (int i = 0; i < 5; ++i) text += feed.next(milliseconds(0));
  EXPECT_EQ(types_of(parse_events(text)), std::vector<std::string>({"run.queued", "run.started"}));
  daemon.finish_run(id, Verdict::kClean);
  EXPECT_EQ(types_of(parse_events(feed.next(milliseconds(0)))), std::vector<std::string>({"run.finished"}));
  EXPECT_FALSE(feed.ended());
}

// Committed, but not yet published, when the stream begins.
TEST_F(EventsTest, AnEventBetweenCommitAndPublicationIsSentOnce) {
  const auto id = daemon.add_run("data", "append");
  const auto row = reader.events_after(0, id, 1).at(0);
  EventFeed feed(reader, hub, std::nullopt, id);
  std::string text = feed.next(milliseconds(0));
  hub.publish({0, row.id, row.type, row.run_id, row.data_json});
  text += feed.next(milliseconds(0));
  EXPECT_EQ(parse_events(text).size(), 1U);
}

TEST_F(EventsTest, LongHistoriesReplayWhole) {
  for (int i = 0; i < 205; ++i) daemon.add_run("data", "append");
  EventFeed feed(reader, hub, 0, std::nullopt);
  std::string text;
  for (int i = 0; i < 5; ++i) text += feed.next(milliseconds(0));
  EXPECT_EQ(parse_events(text).size(), 205U);
}

TEST_F(EventsTest, TheHubWakesAndCloses) {
  EXPECT_TRUE(hub.wait_after(0, milliseconds(0)).empty());
  std::thread waiter([this] { EXPECT_EQ(hub.wait_after(0, kPatience).size(), 1U); });
  daemon.publish_progress(1);
  waiter.join();
  std::thread closed([this] { EXPECT_TRUE(hub.wait_after(hub.last_sequence(), kPatience).empty()); });
  hub.close();
  closed.join();
  EXPECT_TRUE(hub.closed());
  daemon.publish_progress(1);
  EXPECT_EQ(hub.last_sequence(), 1U);
}

TEST_F(EventsTest, StreamsAreCappedAndOthersAreServed) {
  std::vector<std::unique_ptr<EventClient>> streams;
  streams.reserve(kStreamsMax);
  for (int i = 0; i < kStreamsMax; ++i) streams.push_back(std::make_unique<EventClient>(port(), "/api/v1/events"));
  for (auto& stream : streams) stream->wait_connected();
  EXPECT_EQ(get("/api/v1/events", 503)["type"], "/problems/too-many-streams");
  EXPECT_EQ(get("/readyz")["status"], "ready");
}

// Far below the half minute after which writing to a silent stream would fail.
TEST_F(EventsTest, ClientsThatAreGoneGiveTheirStreamsBack) {
  {
    std::vector<std::unique_ptr<EventClient>> streams;
    streams.reserve(kStreamsMax);
    for (int i = 0; i < kStreamsMax; ++i) streams.push_back(std::make_unique<EventClient>(port(), "/api/v1/events"));
    for (auto& stream : streams) stream->wait_connected();
  }
  int status = 503;
  for (const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(12);
       status == 503 && std::chrono::steady_clock::now() < deadline;) {
    auto http = client();
    const auto answered = [&status](const httplib::Response& response) {
      status = response.status;
      return false;
    };
    http.Get("/api/v1/events", answered, [](const char*, std::size_t) { return false; });
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(status, 200);
}

TEST_F(EventsTest, StopEndsStreamsSoon) {
  EventClient stream(port(), "/api/v1/events");
  stream.wait_connected();
  hub.close();
  server.stop();
  stream.wait_end();
}

}  // namespace
}  // namespace writecanary::api::test
