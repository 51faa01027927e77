// What a request must be like to be served at all.
#include "core/base/limits.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/raw_client.h"

namespace writecanary::api::test {
namespace {

using RefusalsTest = ApiTest;
using httplib::Headers;

json problem_of(const httplib::Result& answer, int status) {
  EXPECT_TRUE(answer) << httplib::to_string(answer.error());
  if (!answer) return {};
  EXPECT_EQ(answer->status, status) << answer->body;
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/problem+json");
  auto problem = json::parse(answer->body);
  EXPECT_EQ(problem["status"], status);
  EXPECT_EQ(problem["request_id"], answer->get_header_value("X-Request-Id"));
  return problem;
}

TEST_F(RefusalsTest, UnknownPath) {
  auto http = client();
  for (const char* path :
       {"/nope", "/api/v1/runs/", "/api/v1/runs/1/nope", "/api/v2/status", "//", "/api/v1/targets//"}) {
    const auto problem = problem_of(http.Get(path), 404);
    EXPECT_EQ(problem["type"], "/problems/not-found");
    EXPECT_EQ(problem["instance"], path);
  }
}

TEST_F(RefusalsTest, MethodNotAllowedSaysWhichAre) {
  auto http = client();
  auto answer = http.Post("/api/v1/status", "{}", "application/json");
  EXPECT_EQ(problem_of(answer, 405)["type"], "/problems/method-not-allowed");
  EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD");
  EXPECT_EQ(http.Delete("/api/v1/runs")->get_header_value("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(http.Get("/api/v1/runs/1/stop")->get_header_value("Allow"), "POST");
  EXPECT_EQ(http.Put("/api/v1/runs", "{}", "application/json")->status, 405);
  EXPECT_EQ(http.Options("/api/v1/runs")->status, 405);
}

TEST_F(RefusalsTest, HeadAnswersLikeGetWithoutABody) {
  auto http = client();
  const auto answer = http.Head("/api/v1/status");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->body.empty());
  EXPECT_GT(std::stoi(answer->get_header_value("Content-Length")), 100);
}

TEST_F(RefusalsTest, EveryAnswerCarriesTheCommonHeaders) {
  auto http = client();
  for (const char* path : {"/api/v1/status", "/nope", "/", "/metrics"}) {
    const auto answer = http.Get(path, Headers{{"X-Request-Id", "trace-1"}});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->get_header_value("X-Request-Id"), "trace-1") << path;
    EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(answer->get_header_value("Referrer-Policy"), "no-referrer") << path;
    const auto policy = answer->get_header_value("Content-Security-Policy");
    EXPECT_NE(policy.find("default-src 'none'; script-src 'self'"), std::string::npos) << path;
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << path;
  }
  EXPECT_EQ(http.Get("/api/v1/status")->get_header_value("Cache-Control"), "no-store");
}

TEST_F(RefusalsTest, AStrangeRequestIdIsReplaced) {
  auto http = client();
  for (const std::string& id : {std::string("two words"), std::string(65, 'a'), std::string("a<b>")}) {
    const auto given = http.Get("/api/v1/status", Headers{{"X-Request-Id", id}})->get_header_value("X-Request-Id");
    EXPECT_NE(given, id);
    EXPECT_EQ(given.size(), 15U);
  }
}

TEST_F(RefusalsTest, OnlyThisHostsNames) {
  auto http = client();
  const auto problem = problem_of(http.Get("/api/v1/status", Headers{{"Host", "evil.example:9743"}}), 421);
  EXPECT_EQ(problem["type"], "/problems/misdirected");
  for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:9743"}) {
    EXPECT_EQ(http.Get("/api/v1/status", Headers{{"Host", host}})->status, 200) << host;
  }
  RawClient raw(port());
  raw.send("GET /api/v1/status HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(raw.read_all().find("/problems/missing-host"), std::string::npos);
}

TEST_F(RefusalsTest, ForeignPagesMayNotChangeAnything) {
  auto http = client();
  const std::string path = "/api/v1/targets/data/pause";
  const std::string own = "http://127.0.0.1:" + std::to_string(port());
  const auto from = [&](const Headers& headers) { return http.Post(path, headers, "{}", "application/json"); };
  EXPECT_EQ(problem_of(from({{"Origin", "https://evil.example"}}), 403)["type"], "/problems/foreign-origin");
  EXPECT_EQ(problem_of(from({{"Origin", "null"}}), 403)["type"], "/problems/foreign-origin");
  EXPECT_EQ(from({{"Origin", "http://127.0.0.1:1"}})->status, 403);
  EXPECT_EQ(from({{"Sec-Fetch-Site", "cross-site"}})->status, 403);
  EXPECT_FALSE(daemon.last_command());
  EXPECT_EQ(from({{"Origin", own}})->status, 200);
  EXPECT_EQ(http.Get("/api/v1/status", Headers{{"Origin", "https://evil.example"}})->status, 200);
}

TEST_F(RefusalsTest, AFormCannotPost) {
  auto http = client();
  const std::string path = "/api/v1/targets/data/pause";
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(problem_of(http.Post(path, "{}", type), 415)["type"], "/problems/unsupported-media-type") << type;
  }
  const httplib::MultipartFormDataItems form = {{"note", "x", "", ""}};
  EXPECT_EQ(http.Post(path, form)->status, 415);
  EXPECT_FALSE(daemon.last_command());
  EXPECT_EQ(http.Post(path, "{}", "Application/JSON ; charset=utf-8")->status, 200);
}

TEST_F(RefusalsTest, BodiesMustBeJsonObjects) {
  auto http = client();
  const auto send = [&](const std::string& body) { return http.Post("/api/v1/runs", body, "application/json"); };
  EXPECT_EQ(problem_of(send("{\"target\":"), 400)["type"], "/problems/malformed-json");
  EXPECT_EQ(problem_of(send("\xff\xfe"), 400)["type"], "/problems/malformed-json");
  EXPECT_EQ(problem_of(send("{\"writes\":7e923498}"), 422)["errors"][0]["detail"], "a number is too large");
  EXPECT_EQ(problem_of(send("[1]"), 422)["errors"][0]["detail"], "expected a JSON object, got [1]");
  for (const std::string& deep : {std::string(30'000, '[') + std::string(30'000, ']'),
                                  R"({"target": )" + std::string(20, '[') + std::string(20, ']') + "}"}) {
    EXPECT_EQ(problem_of(send(deep), 422)["errors"][0]["detail"], "arrays and objects are nested more than 16 deep");
  }
}

TEST_F(RefusalsTest, LargeBodiesAreNotRead) {
  auto http = client();
  const std::string body(kRequestBodyBytes + 1, ' ');
  const auto answer = http.Post("/api/v1/runs", body, "application/json");
  EXPECT_EQ(problem_of(answer, 413)["type"], "/problems/payload-too-large");
  EXPECT_EQ(answer->get_header_value("Connection"), "close");
}

TEST_F(RefusalsTest, EndlessChunksAreCutOff) {
  RawClient raw(port());
  raw.send(raw_request("POST /api/v1/runs", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"));
  const std::string chunk = "1000\r\n" + std::string(4096, ' ') + "\r\n";
  for (int i = 0; i < 40; ++i) raw.send(chunk);
  const auto answer = raw.read_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 413");
  EXPECT_NE(answer.find("/problems/payload-too-large"), std::string::npos);
}

TEST_F(RefusalsTest, AChunkedBodyIsABody) {
  RawClient raw(port());
  raw.send(raw_request("POST /api/v1/targets/data/pause",
                       "Connection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"));
  raw.send("5\r\n{\"not\r\n6\r\ne\":\"x\"\r\n1\r\n}\r\n0\r\n\r\n");
  EXPECT_EQ(raw.read_all().substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(std::get<SetPaused>(*daemon.last_command()).note, "x");
}

TEST_F(RefusalsTest, AmbiguousFramingEndsTheConnection) {
  const std::string headers[] = {
      "Content-Length: 2\r\nContent-Length: 40\r\n",
      "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Content-Length: -1\r\n",
      "Content-Length: 2x\r\n",
  };
  for (const auto& lines : headers) {
    RawClient raw(port());
    raw.send(raw_request("POST /api/v1/runs", "Content-Type: application/json\r\n" + lines) +
             raw_request("POST /api/v1/targets/data/pause", ""));
    const auto answers = raw.read_all();
    EXPECT_EQ(answers.substr(0, 12), "HTTP/1.1 400") << lines;
    EXPECT_EQ(answers.find("HTTP/1.1", 12), std::string::npos) << lines;
  }
  EXPECT_FALSE(daemon.last_command());
}

// The body of a refused request must never be taken for the next request.
TEST_F(RefusalsTest, ARefusedBodyIsNotARequest) {
  const std::string smuggled = raw_request("POST /api/v1/targets/data/pause", "");
  RawClient form(port());
  form.send(raw_request("POST /api/v1/runs", "Origin: http://evil.example\r\nContent-Type: text/plain\r\n", smuggled));
  form.finish_sending();
  const auto answer = form.read_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 403");
  EXPECT_EQ(answer.find("HTTP/1.1", 12), std::string::npos);
  RawClient get(port());
  get.send(raw_request("GET /api/v1/status", "", smuggled));
  get.finish_sending();
  EXPECT_NE(get.read_all().find("/problems/unexpected-body"), std::string::npos);
  EXPECT_FALSE(daemon.last_command());
}

TEST_F(RefusalsTest, CompressedBodiesAreRefused) {
  auto http = client();
  const auto answer = http.Post("/api/v1/runs", {{"Content-Encoding", "gzip"}}, "xx", "application/json");
  EXPECT_EQ(problem_of(answer, 415)["type"], "/problems/unsupported-encoding");
}

TEST_F(RefusalsTest, UnreadableRequestsGetAProblemToo) {
  for (const std::string& bytes : {std::string("nonsense\r\n\r\n"), std::string("BREW /coffee HTTP/1.1\r\n\r\n"),
                                   "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    RawClient raw(port());
    raw.send(bytes);
    const auto answer = raw.read_all();
    EXPECT_EQ(answer.substr(0, 10), "HTTP/1.1 4") << bytes.substr(0, 30);
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
    EXPECT_NE(answer.find("X-Request-Id: "), std::string::npos);
  }
}

TEST_F(RefusalsTest, EndlessHeadersAreCutOff) {
  RawClient raw(port());
  raw.send("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 4000; ++i) raw.send("X-Filler-" + std::to_string(i) + ": " + std::string(80, 'x') + "\r\n");
  EXPECT_EQ(raw.read_all().substr(0, 10), "HTTP/1.1 4");
}

TEST_F(RefusalsTest, ALongPathIsOnlyUnknown) {
  auto http = client();
  problem_of(http.Get("/" + std::string(8000, 'a')), 404);
  problem_of(http.Get("/api/v1/targets/" + std::string(7000, 'a')), 404);
}

TEST_F(RefusalsTest, TheLogHasOneLinePerRequest) {
  auto http = client();
  http.Get("/api/v1/targets/a%0Ab?x=1", Headers{{"X-Request-Id", "id-1"}});
  hub.close();
  server.stop();
  const std::lock_guard lock(log_mutex);
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0], "GET /api/v1/targets/a%0Ab?x=1 400 0.0ms 127.0.0.1 id-1");
}

}  // namespace
}  // namespace writecanary::api::test
