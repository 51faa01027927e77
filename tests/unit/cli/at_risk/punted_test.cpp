#include "cli/at_risk/punted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writecanary::cli {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// As 6.18 and 6.1 write them.
constexpr char kGet[] =
    "          logger-4711    [001] .....   815.350951: io_uring_file_get: ring 00000000f9bbafcb, req "
    "00000000deadbeef, "
    "user_data 0x1, fd 5\n";
constexpr char kQueued[] =
    "          logger-4711    [001] .....   815.350957: io_uring_queue_async_work: ring 00000000f9bbafcb, request "
    "00000000deadbeef, user_data 0x1, opcode WRITE, flags 0x200000, hashed queue, work 00000000deadbeef\n";
constexpr char kForced[] =
    " od [1] x: y-d-4712    [000] ...1. 815.350957: io_uring_queue_async_work: ring 00000000f9bbafcb, request "
    "00000000deadbeef, user_data 0x1, opcode WRITEV, flags 0x10, normal queue, work 00000000deadbeef\n";
constexpr char kFixed[] =
    "          logger-4711    [001] .....   815.350957: io_uring_queue_async_work: ring 00000000f9bbafcb, request "
    "00000000deadbeef, user_data 0x1, opcode WRITE_FIXED, flags 0x1, hashed queue, work 00000000deadbeef\n";

TEST(TraceLineTest, ReadsBothEvents) {
  const auto got = parse_trace_line(kGet);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->event, TraceLine::Event::kFileGet);
  EXPECT_EQ(got->tid, 4711);
  EXPECT_EQ(got->fd, 5);
  const auto queued = parse_trace_line(kQueued);
  ASSERT_TRUE(queued);
  EXPECT_EQ(queued->request, got->request);
  EXPECT_EQ(queued->opcode, "WRITE");
  EXPECT_FALSE(queued->forced);
  EXPECT_FALSE(queued->fixed_file);
  EXPECT_TRUE(parse_trace_line(kForced)->forced);
  EXPECT_EQ(parse_trace_line(kForced)->tid, 4712);
  EXPECT_TRUE(parse_trace_line(kFixed)->fixed_file);
}

TEST(TraceLineTest, AnythingElseIsNothing) {
  for (const char* line : {"", "# tracer: nop", "CPU:1 [LOST 12 EVENTS]", "x: io_uring_queue_async_work: ring 0",
                           "a-1 [0] 1.0: io_uring_file_get: ring 0, req 00, user_data 0x1, fd x",
                           "a-1 [0] 1.0: io_uring_queue_async_work: ring 0, request 1, opcode WRITE, flags zz, x"}) {
    EXPECT_FALSE(parse_trace_line(line)) << line;
  }
  EXPECT_EQ(lost_events("CPU:1 [LOST 12 EVENTS]"), 12U);
  EXPECT_EQ(lost_events("CPU:1 [LOST EVENTS]"), 0U);
  EXPECT_EQ(lost_events(kGet), 0U);
}

class PuntedTest : public testing::Test {
 protected:
  PuntedCounter counter_{{.process =
                              [](int tid) {
                                return Process{tid, "logger"};
                              },
                          .file = [this](int, int fd) -> std::optional<AppendFile> {
                            ++asked_;
                            if (fd != 5) return std::nullopt;
                            return AppendFile{.path = "/data/log", .fds = {fd}};
                          }}};
  int asked_ = 0;
};

TEST_F(PuntedTest, CountsByProcessOpcodeAndFileWhereverTheTextIsCut) {
  const std::string text = std::string(kGet) + kQueued + kGet + kQueued + "CPU:0 [LOST 3 EVENTS]\n";
  for (const char c : text) counter_.add(std::string_view(&c, 1));
  ASSERT_THAT(counter_.counts(), SizeIs(1));
  const Punted entry = counter_.counts().front();
  EXPECT_EQ(entry.process.pid, 4711);
  EXPECT_EQ(entry.opcode, "WRITE");
  EXPECT_EQ(entry.file->path, "/data/log");
  EXPECT_EQ(entry.punted, 2U);
  EXPECT_EQ(entry.forced, 0U);
  EXPECT_EQ(counter_.lost(), 3U);
}

TEST_F(PuntedTest, ADescriptorIsAskedOnceForEachBatch) {
  counter_.add(std::string(kGet) + kQueued + kGet + kQueued);
  EXPECT_EQ(asked_, 1);
  counter_.add(std::string(kGet) + kQueued);
  EXPECT_EQ(asked_, 2);
}

TEST_F(PuntedTest, ARequestOfARegisteredFileHasNotTheDescriptorOfAnEarlierOne) {
  counter_.add(std::string(kGet) + kFixed);
  ASSERT_THAT(counter_.counts(), SizeIs(1));
  EXPECT_FALSE(counter_.counts().front().file);
  EXPECT_EQ(counter_.counts().front().punted, 1U);
}

TEST_F(PuntedTest, WhatWasNotTriedInlineIsCountedApart) {
  counter_.add(std::string(kGet) + kForced);
  ASSERT_THAT(counter_.counts(), SizeIs(1));
  EXPECT_EQ(counter_.counts().front().punted, 0U);
  EXPECT_EQ(counter_.counts().front().forced, 1U);
  EXPECT_FALSE(counter_.counts().front().file);
}

TEST_F(PuntedTest, WithoutEventsThereIsNothing) { EXPECT_THAT(counter_.counts(), IsEmpty()); }

}  // namespace
}  // namespace writecanary::cli
