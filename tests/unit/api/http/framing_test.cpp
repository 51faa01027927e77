#include "api/http/framing.h"

#include <gtest/gtest.h>

#include <string>

#include "api/http/request_head.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

using State = RequestFraming::State;

// The request is the same however it is cut: in one piece, and byte by byte with nothing known before its end.
void expect_whole(const std::string& request, const std::string& after = "") {
  RequestFraming at_once;
  EXPECT_EQ(at_once.look(request + after), State::kWhole) << request;
  EXPECT_EQ(at_once.size(), request.size()) << request;
  RequestFraming piecewise;
  for (std::size_t i = 1; i < request.size(); ++i) {
    const auto state = piecewise.look(std::string_view(request).substr(0, i));
    ASSERT_TRUE(state == State::kHead || state == State::kBody) << i << " bytes of " << request;
  }
  EXPECT_EQ(piecewise.look(request), State::kWhole);
  EXPECT_EQ(piecewise.size(), request.size());
}

TEST(FramingTest, FindsTheEndOfARequest) {
  expect_whole("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /next");
  expect_whole("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde", "f");
  expect_whole("POST / HTTP/1.1\r\ncontent-length:  5 \r\n\r\nabcde");
  expect_whole("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  expect_whole(
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\r\nc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n",
      "GET");
}

TEST(FramingTest, DoesNotWaitForWhatWillBeRefused) {
  for (const std::string lines : {"Content-Length: 2\r\nContent-Length: 40\r\n", "Content-Length: x\r\n",
                                  "Content-Length: 99999999999999999999\r\n", "Content-Length: -1\r\n",
                                  "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                                  "Transfer-Encoding: gzip, chunked\r\n", "Content-Length: 65537\r\n"}) {
    expect_whole("POST / HTTP/1.1\r\n" + lines + "\r\n", "body");
  }
  RequestFraming broken_chunk;
  EXPECT_EQ(broken_chunk.look("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), State::kWhole);
}

TEST(FramingTest, IsBounded) {
  RequestFraming head;
  EXPECT_EQ(head.look(std::string(kRequestHeadBytes - 1, 'a')), State::kHead);
  EXPECT_EQ(head.look(std::string(kRequestHeadBytes, 'a')), State::kTooLarge);
  RequestFraming chunk;
  EXPECT_EQ(chunk.look("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"), State::kTooLarge);
  RequestFraming many;
  std::string input = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  State state = State::kHead;
  for (int i = 0; i < 40 && state != State::kTooLarge; ++i) {
    input += "1000\r\n" + std::string(4096, ' ') + "\r\n";
    state = many.look(input);
  }
  EXPECT_EQ(state, State::kTooLarge);
  EXPECT_LT(input.size(), kRequestHeadBytes + kRequestBodyBytes + 8192);
}

TEST(FramingTest, AnExpectationIsTakenOnce) {
  RequestFraming framing;
  EXPECT_EQ(framing.look("POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n"), State::kBody);
  EXPECT_TRUE(framing.take_expectation());
  EXPECT_FALSE(framing.take_expectation());
}

}  // namespace
}  // namespace writecanary::api
