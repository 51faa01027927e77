// Requests that were made to cost much or to say what is not so. What they cost is measured in CPU time of this
// process, so that it does not matter how busy the machine is.
#include <gmock/gmock.h>

#include <ctime>

#include "api/refusal/limits.h"
#include "core/base/limits.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/raw_client.h"

namespace writecanary::api::test {
namespace {

// The cheapest of these took 0.4 s before it was refused, the dearest 10; none takes 20 ms now. Instrumented by a
// sanitizer everything takes ten times as long and more, what was refused likewise.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr double kCpuSecondsMax = 2.5;
#else
constexpr double kCpuSecondsMax = 0.25;
#endif

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// The part header that makes std::regex go back and forth: with n = 120 it took 2.6 s.
std::string form_of(int n) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + repeated("\";filename=\"", n) +
         repeated("\";filename*=", 2 * n) + " x\r\n\r\nx\r\n--b--\r\n";
}

class HostileTest : public ApiTest {
 protected:
  // The answer to what is sent on a connection of its own, which must not cost much.
  std::string answer_to(const std::string& request) {
    RawClient raw(port());
    const double before = cpu_seconds();
    raw.send(request);
    raw.finish_sending();
    auto answer = raw.read_all();
    EXPECT_LT(cpu_seconds() - before, kCpuSecondsMax) << request.substr(0, 200);
    return answer;
  }
  static std::string status_of(const std::string& answer) { return answer.substr(0, 12); }
};

TEST_F(HostileTest, AFormIsRefusedWithoutBeingRead) {
  for (const int n : {20, 120, 240}) {
    const auto answer =
        answer_to(raw_request("POST /api/v1/runs", "Content-Type: multipart/form-data; boundary=b\r\n", form_of(n)));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 415") << n;
    EXPECT_THAT(answer, ::testing::HasSubstr("/problems/unsupported-media-type"));
  }
  const auto encoded = answer_to(raw_request("POST /api/v1/runs", "Content-Type: application/x-www-form-urlencoded\r\n",
                                             repeated("a=%61&", 10'000)));
  EXPECT_EQ(status_of(encoded), "HTTP/1.1 415");
  EXPECT_FALSE(daemon.last_command());
}

TEST_F(HostileTest, RangesAreNotLookedAt) {
  for (const std::string& ranges :
       {"bytes=" + repeated("0-0,", 5'000) + "0-0", "bytes=" + std::string(20'000, '1') + "-", std::string("bytes=x"),
        "bytes=0-" + repeated(" ", 15'000) + ","}) {
    const auto answer = answer_to(raw_request("GET /api/v1/status", "Connection: close\r\nRange: " + ranges + "\r\n"));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200") << ranges.substr(0, 20);
  }
}

TEST_F(HostileTest, EncodingsAreAListOfWords) {
  const auto answer = answer_to(raw_request(
      "GET /api/v1/status", "Connection: close\r\nAccept-Encoding: " + repeated("br;q=1.0,", 3'000) + "br\r\n"));
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200");
  EXPECT_THAT(answer, ::testing::Not(::testing::HasSubstr("Content-Encoding")));
  EXPECT_THAT(answer_to(raw_request("GET /api/v1/status", "Connection: close\r\nAccept-Encoding: br, GZIP\r\n")),
              ::testing::HasSubstr("Content-Encoding: gzip"));
  for (const char* refused : {"gzip;q=0", "gzip; q=0.000", "deflate, x-gzip", "br"}) {
    const auto plain = answer_to(
        raw_request("GET /api/v1/status", std::string("Connection: close\r\nAccept-Encoding: ") + refused + "\r\n"));
    EXPECT_THAT(plain, ::testing::Not(::testing::HasSubstr("Content-Encoding"))) << refused;
  }
}

TEST_F(HostileTest, ManyHeadersAreTooMany) {
  const auto answer = answer_to(raw_request("GET /api/v1/status", repeated("A:\r\n", 7'000)));
  EXPECT_EQ(status_of(answer), "HTTP/1.1 431");
}

TEST_F(HostileTest, ManyParametersAreTooMany) {
  for (const std::string& query : {repeated("a&", 4'000), repeated("%61=%62&", 900), std::string(8'000, '&')}) {
    const auto answer = answer_to(raw_request("GET /api/v1/runs?" + query, ""));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 400");
    EXPECT_THAT(answer, ::testing::HasSubstr("/problems/too-many-parameters"));
    EXPECT_LT(answer.size(), 4096U);
  }
  const auto answer = answer_to(raw_request("GET /api/v1/runs?limit=5?6", "Connection: close\r\n"));
  EXPECT_THAT(answer, ::testing::HasSubstr("\\\"5?6\\\" is not possible"));
}

TEST_F(HostileTest, ChunksAreCheckedBeforeTheyAreABody) {
  const std::string head = "Connection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
  const std::string path = "POST /api/v1/targets/data/pause";
  EXPECT_EQ(status_of(answer_to(raw_request(path, head) + "2;x=" + std::string(200, 'y') + "\r\n{}\r\n0\r\n\r\n")),
            "HTTP/1.1 200");
  for (const std::string& chunks :
       {"2;x=" + std::string(2'000, 'y') + "\r\n{}\r\n0\r\n\r\n", std::string("2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"),
        std::string("2\r\n{}0\r\n\r\n"), std::string("-2\r\n{}\r\n0\r\n\r\n")}) {
    EXPECT_EQ(status_of(answer_to(raw_request(path, head) + chunks)), "HTTP/1.1 400") << chunks.substr(0, 20);
  }
  EXPECT_NE(status_of(answer_to(raw_request(path, head) + repeated("1\r\n \r\n", 10'000) + "0\r\n\r\n")),
            "HTTP/1.1 500");
}

TEST_F(HostileTest, JsonOfManyPartsCostsWhatItsBytesCost) {
  const std::string type = "Connection: close\r\nContent-Type: application/json\r\n";
  std::string fields = "{";
  for (int i = 0; i < 6'000; ++i) fields += "\"" + std::to_string(i) + "\":0,";
  fields += "\"x\":0}";
  for (const std::string& body : {"{\"target\":[" + repeated("{},", 21'000) + "{}]}",
                                  "{\"options\":" + fields.substr(0, fields.size() - 6) + "\"x\":[]}}", fields,
                                  "{\"x\":\"" + std::string(60'000, '\\') + "\"}", std::string(60'000, '[')}) {
    const auto answer = answer_to(raw_request("POST /api/v1/runs", type, body));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 422") << body.substr(0, 40);
    EXPECT_LT(answer.size(), 64UL * 1024) << body.substr(0, 40);
  }
}

// A line of the log is one line, and says nothing to a terminal.
TEST_F(HostileTest, NobodyWritesLinesOfTheLog) {
  answer_to(raw_request("GET /%0aforged%1b[2J", "Connection: close\r\n"));
  answer_to("GET /x HTTP/1.1\r\nHost: localhost%0aforged\r\nConnection: close\r\n\r\n");
  answer_to("POST /api/v1/targets/data/pause HTTP/1.1\r\nHost: evil%0d%0aforged\r\nConnection: close\r\n\r\n");
  answer_to("GET /\x1b[2J HTTP/1.1\r\nHost: localhost\r\n\r\n");
  answer_to("GET /x HTTP/1.1\r\nHost: local\x1bhost\r\n\r\n");
  hub.close();
  server.stop();
  const std::lock_guard lock(log_mutex);
  EXPECT_EQ(log.size(), 5U);
  for (const auto& line : log) {
    EXPECT_EQ(line.find_first_of(std::string("\x1b\n\r\0", 4)), std::string::npos) << line;
  }
  ASSERT_EQ(daemon.refused().size(), 1U);
  const auto reason = daemon.refused()[0].second.reason;
  EXPECT_THAT(reason, ::testing::HasSubstr("Host \"evil%0d%0aforged\""));
}

}  // namespace
}  // namespace writecanary::api::test
