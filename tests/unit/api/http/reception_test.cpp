// Clients that take their time: none keeps others out, and each learns what became of it.
#include "api/refusal/limits.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/raw_client.h"

namespace writecanary::api::test {
namespace {

using ReceptionTest = ApiTest;

std::vector<std::unique_ptr<RawClient>> connect_many(std::size_t count, int port, const std::string& bytes) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(port));
    clients.back()->send(bytes);
  }
  return clients;
}

// More than there are threads, and more than one address may have.
TEST_F(ReceptionTest, DawdlersKeepNobodyOut) {
  for (const std::string& part :
       {std::string(), std::string("GET /api"), raw_request("POST /api/v1/runs", "Content-Length: 9\r\n")}) {
    const auto dawdlers = connect_many(kConnectionsPerAddress + 50, port(), part);
    EXPECT_EQ(get("/readyz")["status"], "ready");
    EXPECT_EQ(get("/api/v1/status")["targets"], 2);
    // The oldest had to go; the newest is still listened to.
    EXPECT_EQ(dawdlers.front()->read_all(), "");
  }
  EXPECT_EQ(get("/readyz")["status"], "ready");
}

TEST_F(ReceptionTest, ASlowRequestIsServedWhenItIsWholeInTime) {
  RawClient slow(port());
  for (const char byte : raw_request("GET /readyz", "Connection: close\r\n")) slow.send(std::string(1, byte));
  EXPECT_EQ(slow.read_all().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(ReceptionTest, ARequestThatTakesTooLongIsToldSo) {
  RawClient slow(port());
  slow.send("GET /readyz HTTP/1.1\r\nHost: loc");
  get("/readyz");  // so what was sent before has been read
  clock.now_ms += 11'000;
  const auto answer = slow.read_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 408");
  EXPECT_NE(answer.find("/problems/too-slow"), std::string::npos);
}

TEST_F(ReceptionTest, AnIdleConnectionIsClosedWithoutAWord) {
  RawClient idle(port());
  idle.send(raw_request("GET /readyz", ""));
  idle.read_until("ready\"}\n");
  clock.now_ms += 31'000;
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(ReceptionTest, SaysContinueToThoseWhoWaitForIt) {
  RawClient polite(port());
  polite.send(raw_request(
      "POST /api/v1/targets/data/pause",
      "Connection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(polite.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  polite.send("{}");
  EXPECT_EQ(polite.read_all().substr(0, 12), "HTTP/1.1 200");
}

// Answers that nobody reads wait in memory that is bounded, not in threads.
TEST_F(ReceptionTest, ReadersWhoDoNotReadKeepNobodyOut) {
  server.set_access(std::make_shared<const Access>(AccessRules{.reads_per_second = 0}));
  std::string pipelined;
  for (int i = 0; i < 40; ++i) pipelined += raw_request("GET /api/v1/openapi.json", "");
  const auto dawdlers = connect_many(100, port(), pipelined);
  EXPECT_EQ(get("/readyz")["status"], "ready");
  EXPECT_EQ(get("/api/v1/status")["targets"], 2);
}

// Requests that never end fill the memory that there is for them. Who holds next to nothing need not make room, however
// long it has waited.
TEST_F(ReceptionTest, MuchUnfinishedInputCostsThoseWhoSentIt) {
  RawClient slow(port());
  slow.send("GET /readyz HTTP/1.1\r\n");
  get("/readyz");  // so that it was seen first
  const std::string endless =
      raw_request("POST /api/v1/runs", "Content-Type: application/json\r\nContent-Length: 65536\r\n") +
      std::string(65'000, ' ');
  ASSERT_GT((kConnectionsMax - 20) * endless.size(), kBufferedBytesMax);
  std::vector<std::unique_ptr<RawClient>> greedy;
  for (std::size_t i = 0; i < kConnectionsMax - 20; ++i) {
    greedy.push_back(std::make_unique<RawClient>(port(), i % 2 == 0 ? "127.0.0.2" : "127.0.0.3"));
    greedy.back()->send(endless);
  }
  EXPECT_EQ(greedy.front()->read_all(), "") << "had to go";
  slow.send("Host: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(slow.read_all().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(ReceptionTest, HeadersThatAreTooLargeAreCalledThat) {
  RawClient raw(port());
  raw.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 500; ++i) raw.send("X-Filler: " + std::string(100, 'x') + "\r\n");
  const auto answer = raw.read_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 431");
  EXPECT_NE(answer.find("/problems/headers-too-large"), std::string::npos);
}

// Many requests on one connection, many more than threads: each is answered, in order.
TEST_F(ReceptionTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient raw(port());
  std::string all;
  for (int i = 0; i < 60; ++i)
    all += raw_request("GET /api/v1/runs/" + std::to_string(1000 + i), i == 59 ? "Connection: close\r\n" : "");
  raw.send(all);
  const auto answers = raw.read_all();
  std::size_t at = 0;
  for (int i = 0; i < 60; ++i) {
    at = answers.find("no run \\\"" + std::to_string(1000 + i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

}  // namespace
}  // namespace writecanary::api::test
