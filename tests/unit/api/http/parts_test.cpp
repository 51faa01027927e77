// The pure parts, each alone.
#include <gmock/gmock.h>

#include <latch>

#include "api/documents/cursor.h"
#include "api/documents/tar.h"
#include "api/http/worker_pool.h"
#include "api/refusal/problem.h"
#include "api/routes/router.h"
#include "storage/store/store.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

TEST(CursorTest, RoundTripsAndRefusesEverythingElse) {
  for (const std::int64_t id : {std::int64_t{1}, std::int64_t{12345}, INT64_MAX}) {
    EXPECT_EQ(decode_cursor("runs", encode_cursor("runs", id)), id);
    EXPECT_FALSE(decode_cursor("findings", encode_cursor("runs", id)));
  }
  const auto good = encode_cursor("runs", 7);
  EXPECT_EQ(good.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  for (const std::string& bad : {std::string(), good + "A", good.substr(1), good + "=", encode_cursor("runs", 0),
                                 encode_cursor("runs", -4), std::string("!!!!")}) {
    EXPECT_FALSE(decode_cursor("runs", bad)) << bad;
  }
}

TEST(TarTest, RefusesNamesThatDoNotFit) {
  TarArchive archive(0);
  EXPECT_FALSE(archive.add_text(std::string(101, 'n'), "x"));
  EXPECT_TRUE(archive.add_text(std::string(100, 'n'), "x"));
  EXPECT_EQ(archive.size_bytes(), 512U + 512U + 1024U);
}

TEST(TarTest, TheSizeIsWhatIsReadInPiecesOfAnySize) {
  for (const std::size_t piece : {1U, 7U, 512U, 100'000U}) {
    TarArchive archive(1'780'000'000);
    archive.add_text("empty", "");
    archive.add_text("block", std::string(512, 'b'));
    archive.add_text("more", std::string(513, 'm'));
    std::string bytes;
    for (std::string part = archive.read(piece); !part.empty(); part = archive.read(piece)) bytes += part;
    EXPECT_EQ(bytes.size(), archive.size_bytes());
    EXPECT_EQ(bytes.size(), 512U + 1024U + 1536U + 1024U);
    EXPECT_EQ(bytes.substr(257, 6), std::string("ustar\0", 6));
  }
}

TEST(QuotedListTest, ReadsAsASentence) {
  EXPECT_EQ(quoted_list({}), "none");
  EXPECT_EQ(quoted_list({"a"}), "\"a\"");
  EXPECT_EQ(quoted_list({"a", "b", "c"}), "\"a\", \"b\" and \"c\"");
}

// The one boundary of a request.
TEST(RouterTest, AnExceptionBecomesAProblemAndALogLine) {
  std::vector<std::string> log;
  const TemporaryDirectory directory;
  const FixedClock clock;
  EventHub hub;
  LiveBoard board;
  Metrics metrics;
  FakeDaemon daemon(directory.path() + "/results.db", clock, hub, board, metrics);
  const AccessBoard access;
  Router router({{"GET",
                  "/fails",
                  {.summary = "fails"},
                  [](Call&) -> Outcome { throw storage::StorageError("read /x/results.db: disk I/O error"); }}},
                RequestGuard("127.0.0.1", false, true, access), daemon, clock,
                [&](const std::string& line) { log.push_back(line); });
  const Peer peer;
  Request request;
  request.method = "GET";
  request.path = "/fails";
  request.headers = {{"Host", "localhost"}, {"X-Request-Id", "abc"}};
  request.peer = &peer;
  Response response;
  router.dispatch(request, response);
  EXPECT_EQ(response.status, 500);
  const auto problem = json::parse(response.body);
  EXPECT_EQ(problem["type"], "/problems/internal");
  EXPECT_EQ(problem["detail"], "read /x/results.db: disk I/O error");
  EXPECT_THAT(log, ::testing::ElementsAre("request abc failed: read /x/results.db: disk I/O error"));
}

TEST(WorkerPoolTest, GrowsToItsBoundThenQueuesThenRefuses) {
  std::latch running(2);
  std::latch go(1);
  std::atomic<int> done{0};
  WorkerPool pool("test", 2, 1);
  const auto job = [&] {
    running.count_down();
    go.wait();
    ++done;
  };
  EXPECT_TRUE(pool.submit(job));
  EXPECT_TRUE(pool.submit(job));
  running.wait();
  std::latch third(1);
  EXPECT_TRUE(pool.submit([&] {
    ++done;
    third.count_down();
  }));
  EXPECT_FALSE(pool.submit(job));
  go.count_down();
  third.wait();
  pool.stop();
  EXPECT_EQ(done, 3);
  EXPECT_FALSE(pool.submit(job));
}

}  // namespace
}  // namespace writecanary::api::test
