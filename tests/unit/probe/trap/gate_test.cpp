// The gate against the real io-wq: while it is closed, no worker of this thread makes progress.
#include "probe/trap/gate.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/base/fd.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kWrite = 1;

class GateTest : public testing::TestWithParam<Workers> {
 protected:
  GateTest() {
    ring_ = Ring::open(4, refused_);
    file_ = open_file(directory_ + "/file", O_RDWR | O_CREAT);
  }

  // Work for a worker of the kind under test: neither opcode is ever made by the other kind.
  void submit_work() {
    io_uring_sqe* sqe = ring_->next_sqe();
    if (GetParam() == Workers::kBounded) {
      io_uring_prep_fallocate(sqe, file_.get(), 0, 0, 8);
    } else {
      io_uring_prep_splice(sqe, source_.get(), -1, sink_.get(), -1, 8, 0);
    }
    sqe->flags |= IOSQE_ASYNC;
    sqe->user_data = kWrite;
    ring_->submit();
  }

  void prepare_source() {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    source_ = Fd(ends[0]);
    source_end_ = Fd(ends[1]);
    ASSERT_EQ(::write(source_end_.get(), "12345678", 8), 8);
    sink_ = open_file("/dev/null", O_WRONLY);
  }

  TemporaryDirectory made_;
  std::string directory_ = made_.path();
  Unsupported refused_;
  std::unique_ptr<Ring> ring_;
  Fd file_, sink_, source_, source_end_;
};

TEST_P(GateTest, HoldsWorkUntilOpened) {
  if (!ring_) GTEST_SKIP() << refused_.reason;
  prepare_source();
  auto gate = Gate::make(*ring_, GetParam(), directory_ + "/gate");
  ASSERT_NE(gate, nullptr);

  submit_work();  // the control: an open gate holds nothing
  EXPECT_EQ(ring_->wait().user_data, kWrite);
  ASSERT_EQ(::write(source_end_.get(), "12345678", 8), 8);

  gate->close();
  submit_work();
  // Only a gate that fails can complete the request here, however slow this machine is.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(ring_->peek().has_value());
  const auto other = gate->open();
  const Completion completion = other ? *other : ring_->wait();
  EXPECT_EQ(completion.user_data, kWrite);
  EXPECT_FALSE(ring_->peek().has_value());
}

TEST_P(GateTest, ClosesManyTimes) {
  if (!ring_) GTEST_SKIP() << refused_.reason;
  auto gate = Gate::make(*ring_, GetParam(), directory_ + "/gate");
  ASSERT_NE(gate, nullptr);
  for (int i = 0; i < 200; ++i) {
    gate->close();
    EXPECT_FALSE(gate->open().has_value());
  }
  EXPECT_FALSE(gate->open().has_value()) << "opening an open gate does nothing";
}

TEST_P(GateTest, HasNoNameThatAKilledProbeWouldLeave) {
  if (!ring_) GTEST_SKIP() << refused_.reason;
  const auto gate = Gate::make(*ring_, GetParam(), directory_ + "/gate");
  gate->close();
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/gate"));
}

TEST_P(GateTest, WorksWhereNoFifoCanBeMade) {
  if (!ring_) GTEST_SKIP() << refused_.reason;
  const auto gate = Gate::make(*ring_, GetParam(), "/proc/gate");
  ASSERT_NE(gate, nullptr);
  gate->close();
  EXPECT_FALSE(gate->open().has_value());
}

INSTANTIATE_TEST_SUITE_P(Kinds, GateTest, testing::Values(Workers::kBounded, Workers::kUnbounded),
                         [](const auto& kind) { return kind.param == Workers::kBounded ? "Bounded" : "Unbounded"; });

}  // namespace
}  // namespace writecanary::probe
