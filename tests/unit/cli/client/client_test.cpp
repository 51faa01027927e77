#include "cli/client/client.h"

#include <gtest/gtest.h>

#include "cli/client/follow.h"
#include "tests/unit/cli/support.h"

namespace writecanary::cli {
namespace {

constexpr char kBusy[] = R"({"type":"/problems/target-busy","title":"The target is busy","status":409,
  "detail":"run 7 is on it. Wait, or set queue.","errors":[{"field":"target","detail":"data is busy"}]})";

// What the call ends with; fails the test when it does not fail.
template <typename Call>
CommandError failure_of(Call call) {
  try {
    call();
  } catch (const CommandError& error) {
    return error;
  }
  ADD_FAILURE() << "expected a CommandError";
  return {0, ""};
}

TEST(Url, WhatIsAnAddressAndWhatIsNot) {
  EXPECT_EQ(parse_url("http://127.0.0.1:9743/").origin, "http://127.0.0.1:9743");
  EXPECT_EQ(parse_url("https://canary.example").origin, "https://canary.example");
  EXPECT_EQ(parse_url("http://[::1]:9743").origin, "http://[::1]:9743");
  EXPECT_EQ(parse_url("unix:/run/x/api.sock").socket_path, "/run/x/api.sock");
  for (const char* bad : {"", "localhost:9743", "ftp://x", "http://", "http:///", "unix:relative", "http://user@x",
                          "http://x?y", "http://x/a?y", "http://x/#a", "http://x/a b", "http://x/a\r\nb"}) {
    EXPECT_THROW(parse_url(bad), UsageError) << bad;
  }
}

TEST(Url, AProxyMayShowADaemonBelowAPath) {
  const HttpServer server = parse_url("https://canary.example:8443/fleet/db-7/");
  EXPECT_EQ(server.origin, "https://canary.example:8443");
  EXPECT_EQ(server.base_path, "/fleet/db-7");
  EXPECT_EQ(parse_url("https://canary.example/").base_path, "");
}

TEST(Refusal, IsShownAsTitleDetailAndFields) {
  EXPECT_EQ(describe_refusal(409, kBusy),
            "The target is busy: run 7 is on it. Wait, or set queue.\n  target: data is busy");
  EXPECT_EQ(describe_refusal(502, "<html>Bad\x1b gateway"), "the daemon answered 502: <html>Bad\\x1b gateway");
  EXPECT_EQ(describe_refusal(500, ""), "the daemon answered 500");
  EXPECT_EQ(describe_refusal(422, R"({"title":"No","errors":["text",{"field":"writes","detail":"too many"}]})"),
            "No\n  writes: too many");
  EXPECT_EQ(describe_refusal(
                422, R"({"title":"No","detail":"writes: too many","errors":[{"field":"writes","detail":"too many"}]})"),
            "No: writes: too many")
      << "nothing is said twice";
}

TEST(Refusal, ExitCodeTellsWhoseFaultItIs) {
  for (const int status : {400, 401, 403, 404, 422}) EXPECT_EQ(refusal_exit_code(status), 1) << status;
  for (const int status : {409, 429, 500, 503}) EXPECT_EQ(refusal_exit_code(status), 5) << status;
}

TEST(Uri, EncodesWhatHasAMeaning) { EXPECT_EQ(encode_uri("a b&c=d/\xC3\xA9~"), "a%20b%26c%3Dd%2F%C3%A9~"); }

TEST(Client, SendsTokenAndBodyAndReadsTheAnswer) {
  const TemporaryDirectory directory;
  write_file(directory / "token", "s3cret\n");
  const TestDaemon daemon([](httplib::Server& server) {
    server.Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
      const nlohmann::json answer = {{"authorization", request.get_header_value("Authorization")},
                                     {"type", request.get_header_value("Content-Type")},
                                     {"body", nlohmann::json::parse(request.body)}};
      response.set_content(answer.dump(), "application/json");
    });
  });
  const nlohmann::json answer = Client(daemon.url(), {.token = directory / "token"}).post_json("/echo", {{"n", 1}});
  EXPECT_EQ(answer.at("authorization"), "Bearer s3cret");
  EXPECT_EQ(answer.at("type"), "application/json");
  EXPECT_EQ(answer.at("body").at("n"), 1);
}

TEST(Client, ReachesADaemonOnAUnixSocket) {
  const TemporaryDirectory directory;
  const TestDaemon daemon(
      [](httplib::Server& server) {
        server.Get("/x", [](const httplib::Request& request, httplib::Response& response) {
          response.set_content("{\"host\":\"" + request.get_header_value("Host") + "\"}", "application/json");
        });
      },
      directory / "api.sock");
  EXPECT_EQ(Client(daemon.url(), {}).get_json("/x").at("host"), "localhost");
}

TEST(Client, ATokenFileHoldsOneToken) {
  const TemporaryDirectory directory;
  write_file(directory / "two", "one two\n");
  write_file(directory / "empty", "\n");
  EXPECT_THROW(Client(kDefaultUrl, {.token = directory / "two"}), UsageError);
  EXPECT_THROW(Client(kDefaultUrl, {.token = directory / "empty"}), UsageError);
  EXPECT_THROW(Client(kDefaultUrl, {.token = directory / "none"}), UsageError);
}

TEST(Client, SaysWhatToDoWhenNobodyListens) {
  const TemporaryDirectory directory;
  const Client client("unix:" + (directory / "none.sock"), {});
  const CommandError error = failure_of([&] { client.get("/api/v1/status"); });
  EXPECT_EQ(error.exit_code(), 5);
  EXPECT_EQ(std::string(error.what()), "cannot reach the daemon at unix:" + (directory / "none.sock") +
                                           ": nothing accepts connections there. Is writecanaryd running? "
                                           "(systemctl status writecanary)");
}

TEST(Client, RefusalsAndNonsenseAreErrors) {
  const TestDaemon daemon([](httplib::Server& server) {
    server.Get("/busy", [](const httplib::Request&, httplib::Response& response) {
      response.status = 409;
      response.set_content(kBusy, "application/problem+json");
    });
    server.Get("/page", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("<html>", "text/html");
    });
  });
  const Client client(daemon.url(), {});
  EXPECT_EQ(failure_of([&] { client.get("/busy"); }).exit_code(), 5);
  EXPECT_EQ(failure_of([&] { client.get_json("/nowhere"); }).exit_code(), 1);
  EXPECT_STREQ(failure_of([&] { client.get_json("/page"); }).what(),
               "the answer is not JSON: <html>. Is this URL a writecanaryd?");
}

// Serves the pieces in turn, one connection each, and keeps what each asked to go on from.
struct PiecesOfStream {
  std::vector<std::string> pieces, last_ids;
  void route(httplib::Server& server) {
    server.Get("/events", [this](const httplib::Request& request, httplib::Response& response) {
      last_ids.push_back(request.get_header_value("Last-Event-ID"));
      const std::string piece = last_ids.size() <= pieces.size() ? pieces[last_ids.size() - 1] : "";
      response.set_chunked_content_provider("text/event-stream", [piece](std::size_t, httplib::DataSink& sink) {
        sink.write(piece.data(), piece.size());
        sink.done();
        return true;
      });
    });
  }
};

TEST(Follow, GoesOnBehindTheLastEventAfterABrokenConnection) {
  PiecesOfStream stream{{"id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nda", "", "id: 3\ndata: c\n\nid: 4\ndata: d\n\n"},
                        {}};
  const TestDaemon daemon([&](httplib::Server& server) { stream.route(server); });
  std::string seen;
  int retries = 0;
  follow_events(
      Client(daemon.url(), {}), "/events", {.attempts = 6, .first_wait = std::chrono::milliseconds{1}},
      [&](const SseEvent& event) {
        seen += event.data;
        return event.data != "d";
      },
      [&](const std::string&) { ++retries; });
  EXPECT_EQ(seen, "abcd");
  EXPECT_EQ(retries, 2);
  EXPECT_EQ(stream.last_ids, (std::vector<std::string>{"", "2", "2"}));
}

TEST(Follow, GivesUpAfterEnoughFailures) {
  PiecesOfStream stream;
  const TestDaemon daemon([&](httplib::Server& server) { stream.route(server); });
  int retries = 0;
  const CommandError error = failure_of([&] {
    follow_events(
        Client(daemon.url(), {}), "/events", {.attempts = 3, .first_wait = std::chrono::milliseconds{1}},
        [](const SseEvent&) { return true; }, [&](const std::string&) { ++retries; });
  });
  EXPECT_EQ(error.exit_code(), 5);
  EXPECT_EQ(retries, 2);
  EXPECT_EQ(stream.last_ids.size(), 3U);
}

TEST(Follow, ARefusalIsNotTriedAgain) {
  const TestDaemon daemon([](httplib::Server&) {});
  const CommandError error = failure_of([&] {
    follow_events(
        Client(daemon.url(), {}), "/events", {}, [](const SseEvent&) { return true; },
        [](const std::string& why) { ADD_FAILURE() << why; });
  });
  EXPECT_EQ(error.exit_code(), 1);
}

}  // namespace
}  // namespace writecanary::cli
