// The loop of the single-writer profiles, with writers that misbehave the way kernels and filesystems do.
#include "probe/stream/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "core/base/error.h"
#include "tests/unit/probe/run_fixture.h"

namespace writecanary::probe {
namespace {

// Appends for real; what it says of it, and what else it does, is the test's.
class FakeWriter : public StreamWriter {
 public:
  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t) override {
    StreamWrite made;
    made.ref.length_bytes = bytes.size();
    made.ref.result = make(file, bytes);
    made.exposed = true;
    ++calls;
    return made;
  }
  virtual std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) { return append(file, bytes); }
  static std::int64_t append(const RunFile& file, std::span<const std::byte> bytes) {
    return ::write(file.fd(), bytes.data(), bytes.size());
  }
  int calls = 0;
};

class StreamTest : public RunFixture {
 protected:
  StreamTest() { spec_.writes_max = 50; }

  Meter run(FakeWriter& writer) {
    RunContext& context = begin();
    try {
      run_stream(context, shape_, writer);
    } catch (const SystemError& error) {
      failure_ = error.error_number();
    }
    return context.meter;
  }

  StreamShape shape_{4104, 20000, 64UL * 1024, O_APPEND, true};
  int failure_ = 0;
};

TEST_F(StreamTest, RightBytesGiveNoFinding) {
  FakeWriter writer;
  const Meter meter = run(writer);
  EXPECT_EQ(meter.counters().writes, 50U);
  EXPECT_GE(meter.counters().bytes_verified, meter.counters().bytes_written);  // more: some files twice
  EXPECT_GT(meter.counters().files, 1U);
  EXPECT_EQ(meter.tally().total(), 0U);
}

TEST_F(StreamTest, ShortResultsAreContinuedAndNotMistakenForDamage) {
  struct Short : FakeWriter {
    std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) override {
      return append(file, bytes.first(calls % 3 == 0 ? (bytes.size() + 1) / 2 : bytes.size()));
    }
  } writer;
  const Meter meter = run(writer);
  EXPECT_GT(meter.counters().short_results, 5U);
  EXPECT_EQ(meter.tally().total(), 0U);
}

TEST_F(StreamTest, NoMemoryIsTriedAgain) {
  struct Forgetful : FakeWriter {
    std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) override {
      return calls % 2 == 0 ? -ENOMEM : append(file, bytes);
    }
  } writer;
  const Meter meter = run(writer);
  EXPECT_EQ(meter.counters().cqe_enomem, 25U);
  EXPECT_EQ(meter.tally().total(), 0U);
  EXPECT_EQ(failure_, 0);
}

TEST_F(StreamTest, AWriteThatLeavesBytesAndReportsNoneIsADuplicateInTheEnd) {
  // The bug itself: a head is left in the file, and the whole write follows.
  struct Affected : FakeWriter {
    std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) override {
      append(file, bytes.first(4096));
      return append(file, bytes);
    }
  } writer;
  const Meter meter = run(writer);
  EXPECT_EQ(meter.tally().count_of(FindingKind::kDuplicate), 50U);
  EXPECT_EQ(meter.tally().bytes_of(FindingKind::kDuplicate), 50U * 4096);
  EXPECT_EQ(meter.tally().total(), 50U);
}

TEST_F(StreamTest, AnErrorEndsTheRunAfterTheFileWasJudged) {
  struct Failing : FakeWriter {
    std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) override {
      if (calls == 3) return -EIO;
      append(file, bytes.first(8));
      return append(file, bytes);
    }
  } writer;
  shape_.file_bytes = 1 << 20;
  const Meter meter = run(writer);
  EXPECT_EQ(failure_, EIO);
  EXPECT_GE(meter.tally().count_of(FindingKind::kDuplicate), 1U);
}

TEST_F(StreamTest, StopsWhenTold) {
  struct Stopping : FakeWriter {
    explicit Stopping(std::atomic<bool>& stop) : stop_(stop) {}
    std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) override {
      if (calls == 4) stop_ = true;
      return append(file, bytes);
    }
    std::atomic<bool>& stop_;
  } writer(stop_);
  EXPECT_EQ(run(writer).counters().writes, 5U);
}

TEST_F(StreamTest, TheSameSeedMakesTheSameWrites) {
  struct Recording : FakeWriter {
    std::int64_t make(const RunFile& file, std::span<const std::byte> bytes) override {
      lengths.push_back(bytes.size());
      return append(file, bytes);
    }
    std::vector<std::size_t> lengths;
  } first, second, other;
  run(first);
  run(second);
  spec_.seed = 1;
  run(other);
  EXPECT_EQ(first.lengths, second.lengths);
  EXPECT_NE(first.lengths, other.lengths);
}

}  // namespace
}  // namespace writecanary::probe
