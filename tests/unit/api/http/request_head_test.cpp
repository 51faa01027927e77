// What is taken for the head of a request, and what is not.
#include "api/http/request_head.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/limits.h"

namespace writecanary::api {
namespace {

RequestHead head_with(const std::string& lines) {
  // The result refers to the text.
  static std::string text;
  text = "POST /x HTTP/1.1\r\n" + lines + "\r\n";
  return parse_head(text);
}

TEST(RequestHeadTest, ReadsLineAndFields) {
  const std::string text = "GET /a?b=c HTTP/1.1\r\nHost:x\r\nX-Two: \t a b \t\r\nEmpty:\r\nX-Name: J\xc3\xb6rg\r\n\r\n";
  const auto head = parse_head(text);
  EXPECT_EQ(head.error, 0);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a?b=c");
  EXPECT_EQ(head.version, "HTTP/1.1");
  EXPECT_EQ(head.field("host"), "x");
  EXPECT_EQ(head.field("x-two"), "a b");
  EXPECT_EQ(head.field("Empty"), "");
  EXPECT_EQ(head.field("x-name"), "J\xc3\xb6rg");
  EXPECT_FALSE(head.field("x-three"));
}

TEST(RequestHeadTest, ValuesAreTakenAsTheyStand) {
  EXPECT_EQ(head_with("Host: a%0d%0aforged%00\r\n").field("Host"), "a%0d%0aforged%00");
}

TEST(RequestHeadTest, RefusesWhatTwoReadersCouldReadDifferently) {
  for (const std::string lines : {
           "Host : x\r\n",                                // a blank before the colon
           "X: a\r\n b\r\n",                              // folded
           "no colon\r\n",                                //
           ": x\r\n",                                     //
           "X: a\nY: b\r\n",                              // a bare line feed
           "X: a\rb\r\n",                                 // a bare return
           "X: a\x1b[2J\r\n",                             // an escape sequence
           "X: a\x7f\r\n",                                //
           "Host: x\r\nHost: y\r\n",                      // two where one is possible
           "host: x\r\nHOST: x\r\n",                      //
           "Authorization: a\r\nAuthorization: b\r\n",    //
           "Content-Type: a\r\nContent-Type: b\r\n",      //
           "Content-Length: 1\r\nContent-Length: 1\r\n",  //
           "Transfer-Encoding: a\r\nTransfer-Encoding: b\r\n",
       }) {
    EXPECT_EQ(head_with(lines).error, 400) << lines;
    EXPECT_TRUE(head_with(lines).fields.empty()) << lines;
  }
  EXPECT_EQ(head_with(std::string("X: a\0b\r\n", 8)).error, 400);
}

TEST(RequestHeadTest, RefusesOtherRequestLines) {
  for (const std::string line : {"GET /x", "GET  HTTP/1.1", "GET /x HTTP/2.0", "GET /x http/1.1", " GET /x HTTP/1.1",
                                 "GET /a b HTTP/1.1", "G(T /x HTTP/1.1", "GET /x#y HTTP/1.1", "GET /\x01 HTTP/1.1",
                                 "GET /\xc3\xb6 HTTP/1.1", "", "GET /x HTTP/1.1 "}) {
    EXPECT_EQ(parse_head(line + "\r\n\r\n").error, 400) << line;
  }
  EXPECT_EQ(parse_head("GET /x HTTP/1.1\n\r\n").error, 400);
}

TEST(RequestHeadTest, IsBounded) {
  EXPECT_EQ(parse_head("GET /" + std::string(kTargetBytes - 1, 'a') + " HTTP/1.1\r\n\r\n").error, 0);
  EXPECT_EQ(parse_head("GET /" + std::string(kTargetBytes, 'a') + " HTTP/1.1\r\n\r\n").error, 414);
  std::string long_method(kRequestLineBytes, 'A');
  long_method += " / HTTP/1.1\r\n\r\n";
  EXPECT_EQ(parse_head(long_method).error, 414);
  std::string lines;
  for (std::size_t i = 0; i < kHeaderFieldsMax; ++i) lines += "X: y\r\n";
  EXPECT_EQ(head_with(lines).error, 0);
  EXPECT_EQ(head_with(lines + "X: y\r\n").error, 431);
}

TEST(BodyFramingTest, KnowsOneWayOrNone) {
  EXPECT_EQ(body_framing(head_with("")).length, 0U);
  EXPECT_EQ(body_framing(head_with("Content-Length: 17\r\n")).length, 17U);
  EXPECT_TRUE(body_framing(head_with("Transfer-Encoding: chunked\r\n")).chunked);
  for (const std::string lines :
       {"Content-Length: +1\r\n", "Content-Length: 1 2\r\n", "Content-Length: 0x1\r\n", "Content-Length:\r\n",
        "Content-Length: 1,1\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"}) {
    EXPECT_EQ(body_framing(head_with(lines)).error, 400) << lines;
  }
  EXPECT_EQ(body_framing(head_with("Content-Length: " + std::to_string(kRequestBodyBytes + 1) + "\r\n")).error, 413);
  EXPECT_EQ(body_framing(head_with("Content-Length: 99999999999999999999999\r\n")).error, 413);
}

TEST(ChunksTest, AreJoinedWhenTheyAreWellFormed) {
  EXPECT_EQ(join_chunks("5\r\nabcde\r\n0\r\n\r\n"), "abcde");
  EXPECT_EQ(join_chunks("2;name=\"v\"\r\nab\r\n00A\r\n0123456789\r\n0;last\r\n\r\n"), "ab0123456789");
  EXPECT_EQ(join_chunks("0\r\n\r\n"), "");
  for (const std::string chunks :
       {"", "5\r\nabcde\r\n", "5\r\nabcde\r\n0\r\n", "5\r\nabcdef\r\n0\r\n\r\n", "5\nabcde\r\n0\r\n\r\n",
        "0\r\nTrailer: x\r\n\r\n", "0\r\n\r\nmore", "-1\r\n", "0x1\r\na\r\n0\r\n\r\n", " \r\n", ";\r\n",
        "fffffffffffffffff\r\n", "1;\x01\r\na\r\n0\r\n\r\n"}) {
    EXPECT_FALSE(join_chunks(chunks)) << chunks;
  }
  EXPECT_FALSE(join_chunks("1;" + std::string(kChunkLineBytes, 'x') + "\r\na\r\n0\r\n\r\n"));
  const std::string large = "10001\r\n" + std::string(kRequestBodyBytes + 1, 'x') + "\r\n0\r\n\r\n";
  EXPECT_FALSE(join_chunks(large));
}

TEST(ListTest, HasElements) {
  std::string seen;
  for_each_element(" a ,,\tb;q=0 , ", [&](std::string_view element) { seen += "[" + std::string(element) + "]"; });
  EXPECT_EQ(seen, "[a][b;q=0]");
}

}  // namespace
}  // namespace writecanary::api
