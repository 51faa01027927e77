// The life of the server: addresses, sockets, many clients at once, its end.
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "api/http/listener.h"
#include "core/base/error.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/raw_client.h"

namespace writecanary::api::test {
namespace {

TEST(ListenAddressTest, ReadsEveryForm) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:9743").text(), "127.0.0.1:9743");
  EXPECT_EQ(parse_listen_address("localhost:0").host, "localhost");
  EXPECT_EQ(parse_listen_address("[::1]:80").host, "::1");
  EXPECT_EQ(parse_listen_address("[::1]:80").text(), "[::1]:80");
  EXPECT_EQ(parse_listen_address("unix:/run/x.sock").unix_path, "/run/x.sock");
  for (const char* bad : {"", "9743", ":9743", "host", "host:", "host:x", "host:65536", "::1:80", "unix:", "unix:x"}) {
    try {
      parse_listen_address(bad);
      ADD_FAILURE() << bad << " was taken for an address";
    } catch (const SystemError& error) {
      EXPECT_NE(std::string(error.what()).find("expected host:port"), std::string::npos) << error.what();
    }
  }
}

using ServerTest = ApiTest;

TEST_F(ServerTest, SaysWhoMayHoldTheAddress) {
  const std::string address = "127.0.0.1:" + std::to_string(port());
  Server second({address, ""}, {reader, daemon, board, hub, metrics, catalogue, clock});
  try {
    second.start();
    FAIL() << "two servers on " << address;
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), EADDRINUSE);
    EXPECT_NE(std::string(error.what()).find("listen on " + address + " (another process listens there: ss -ltnp"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(ServerTest, StopsTwiceAndStartsAgain) {
  const auto idle = client();  // a kept connection does not hold the stop up
  auto http = client();
  http.set_keep_alive(true);
  EXPECT_EQ(http.Get("/readyz")->status, 200);
  server.stop();
  server.stop();
  EXPECT_FALSE(http.Get("/readyz"));
  server.start();
  EXPECT_EQ(get("/readyz")["status"], "ready");
}

TEST_F(ServerTest, KeepsConnectionsForFurtherRequests) {
  RawClient raw(port());
  for (int i = 0; i < 5; ++i) {
    raw.send(raw_request("GET /readyz", ""));
    EXPECT_EQ(raw.read_until("ready\"}\n").substr(0, 12), "HTTP/1.1 200");
  }
  raw.send(raw_request("GET /readyz", "") + raw_request("GET /healthz", "Connection: close\r\n"));
  const auto both = raw.read_all();
  EXPECT_NE(both.find("ready\"}"), std::string::npos);
  EXPECT_NE(both.find("\"ok\"}"), std::string::npos);
}

// Connections that say nothing have no say over others.
TEST_F(ServerTest, SilentConnectionsDoNotKeepOthersOut) {
  std::vector<std::unique_ptr<RawClient>> silent;
  silent.reserve(30);
  for (int i = 0; i < 30; ++i) silent.push_back(std::make_unique<RawClient>(port()));
  EXPECT_EQ(get("/readyz")["status"], "ready");
}

TEST_F(ServerTest, EightClientsAtOnce) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i, &wrong] {
      auto http = client();
      http.set_keep_alive(true);
      for (int n = 0; n < 10; ++n) {
        if (i == 0) {
          const json body = {{"target", "data"}, {"profile", "append"}};
          const auto started = http.Post("/api/v1/runs", body.dump(), "application/json");
          if (!started || started->status != 202) ++wrong;
          continue;
        }
        for (const char* path : {"/api/v1/status", "/api/v1/runs", "/metrics", "/api/v1/targets"}) {
          const auto answer = http.Get(path);
          if (!answer || answer->status != 200) ++wrong;
        }
      }
    });
  }
  for (int n = 0; n < 5; ++n) daemon.run_once("logs", "append", Verdict::kCorrupt, {duplicate_finding()});
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(get("/api/v1/runs?target=data")["items"].size(), 10U);
}

const TemporaryDirectory& socket_directory() {
  static const TemporaryDirectory kDirectory;
  return kDirectory;
}

class UnixServerTest : public ApiTest {
 protected:
  UnixServerTest() : ApiTest("unix:" + socket_directory().path() + "/api.sock") {}
  std::string path = socket_directory().path() + "/api.sock";
};

httplib::Client unix_client(const std::string& path) {
  httplib::Client http(path);
  http.set_address_family(AF_UNIX);
  return http;
}

TEST_F(UnixServerTest, ServesAndKnowsItsCaller) {
  EXPECT_EQ(server.url(), "unix:" + path);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660U);
  auto http = unix_client(path);
  const auto answer = http.Get("/api/v1/status");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(http.Post("/api/v1/targets/data/pause", "{}", "application/json")->status, 200);
  EXPECT_EQ(daemon.last_caller().who, "uid " + std::to_string(::getuid()));
  server.stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UnixServerTest, ReplacesADeadSocketButNotALiveOne) {
  Server second({"unix:" + path, ""}, {reader, daemon, board, hub, metrics, catalogue, clock});
  EXPECT_THROW(second.start(), SystemError);
  EXPECT_EQ(unix_client(path).Get("/readyz")->status, 200);
  // A socket file whose process is gone: keep it beside, stop, put it back.
  std::filesystem::rename(path, path + ".kept");
  server.stop();
  std::filesystem::rename(path + ".kept", path);
  second.start();
  EXPECT_EQ(unix_client(path).Get("/readyz")->status, 200);
  second.stop();
}

// What is no socket, or is another one meanwhile, is not ours to remove.
TEST_F(UnixServerTest, RemovesNothingButItsOwnSocket) {
  const std::string other = socket_directory().path() + "/results.db";
  std::ofstream(other) << "kept";
  std::filesystem::create_symlink(other, other + ".link");
  for (const std::string& taken : {other, other + ".link", socket_directory().path()}) {
    Server second({"unix:" + taken, ""}, {reader, daemon, board, hub, metrics, catalogue, clock});
    try {
      second.start();
      ADD_FAILURE() << "listens on " << taken;
    } catch (const SystemError& error) {
      EXPECT_NE(std::string(error.what()).find("what is there is no socket"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(std::filesystem::exists(taken));
  }
  std::filesystem::remove(path);
  std::ofstream(path) << "of somebody else";
  server.stop();
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace writecanary::api::test
