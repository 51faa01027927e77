// The hold against the real kernel: a write stops where it is told to, and what is claimed of it is so.
#include "probe/trap/held_call.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <future>
#include <stdexcept>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

using std::chrono::milliseconds;

class HoldFixture : public testing::Test {
 protected:
  HoldFixture() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), content_(8 * page_) {
    // In memory, so that it can be read while a write to it is held; on XFS a read waits for the write.
    file_ = Fd(memfd_create("held", MFD_CLOEXEC));
    make_file_ = [this] { return open_file(directory_ + "/cold", O_RDWR | O_CREAT, 0600); };
    for (std::size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<std::byte>(1 + i % 251);
    memory_ = WithheldMemory::open(content_.size() + page_, make_file_);
  }

  HeldWork write_of(std::span<const std::byte> bytes) {
    return [this, bytes] { return pwrite(file_.get(), bytes.data(), bytes.size(), 0); };
  }
  std::vector<std::byte> in_file(std::size_t bytes) {
    std::vector<std::byte> found(bytes);
    const ssize_t got = pread(file_.get(), found.data(), found.size(), 0);
    found.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return found;
  }

  std::size_t page_;
  std::vector<std::byte> content_;
  TemporaryDirectory made_;
  std::string directory_ = made_.path();
  Fd file_;
  WithheldMemory::MakeFile make_file_;
  std::unique_ptr<WithheldMemory> memory_;
};

class HeldCallTest : public HoldFixture {
 protected:
  void SetUp() override {
    if (!memory_->refusal().empty()) GTEST_SKIP() << memory_->refusal();
  }
};
class HeldCallAnywhere : public HoldFixture {};

TEST_F(HeldCallTest, AWriteIsHeldInItsMiddleAndThenComplete) {
  const auto source = memory_->fill(content_, 0, 4 * page_ + 17);
  bool complete_beside = true;
  const HeldOutcome outcome =
      hold(*memory_, write_of(source), [&] { complete_beside = in_file(content_.size()) == content_; });
  EXPECT_TRUE(outcome.held());
  EXPECT_EQ(outcome.result, static_cast<std::int64_t>(content_.size()));
  EXPECT_FALSE(complete_beside);
  EXPECT_EQ(in_file(content_.size()), content_);
}

// A byte that a call in flight may write: read by the kernel, which needs no lock of ours for that.
std::byte as_the_kernel_sees(const std::byte& byte) {
  const Fd memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::byte seen{0xee};
  EXPECT_EQ(pread(memory.get(), &seen, 1, static_cast<off_t>(reinterpret_cast<std::uintptr_t>(&byte))), 1);
  return seen;
}

TEST_F(HeldCallTest, AReadIsHeldBeforeItHasFilledItsMemory) {
  ASSERT_EQ(pwrite(file_.get(), content_.data(), content_.size(), 0), static_cast<ssize_t>(content_.size()));
  const auto into = memory_->fill(std::vector<std::byte>(content_.size()), 0, 3 * page_);
  std::byte last{0xff};
  const HeldOutcome outcome = hold(
      *memory_, [&] { return pread(file_.get(), into.data(), into.size(), 0); },
      [&] { last = as_the_kernel_sees(into.back()); });
  EXPECT_TRUE(outcome.held());
  EXPECT_EQ(last, std::byte{0});
  EXPECT_TRUE(std::ranges::equal(into, content_));
}

TEST_F(HeldCallTest, MemoryIsUsedAgainAtOtherPlaces) {
  for (std::size_t withheld = 0; withheld < content_.size() - 100; withheld += page_ / 2) {
    const auto source = memory_->fill(std::span(content_).first(content_.size() - 100), 100, withheld);
    const HeldOutcome outcome = hold(*memory_, write_of(source), [] {});
    EXPECT_TRUE(outcome.held()) << withheld;
    EXPECT_TRUE(std::ranges::equal(in_file(source.size()), std::span(content_).first(source.size()))) << withheld;
  }
}

TEST_F(HeldCallTest, APageThatIsTakenAwayMeanwhileComesBackByItself) {
  const auto source = memory_->fill(content_, 0, page_);
  const HeldOutcome outcome = hold(*memory_, write_of(source), [&] {
    memory_->take_away(0);
    memory_->take_away(6 * page_);
  });
  EXPECT_TRUE(outcome.held());
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(HeldCallTest, ItIsHeldAtALaterStop) {
  const auto source = memory_->fill(content_, 100, 3 * page_);
  memory_->take_away(6 * page_);
  std::vector<unsigned> earlier;
  const HeldOutcome outcome = hold(*memory_, write_of(source), [] {},
                                   {.stop = 2, .on_the_way = [&](unsigned stop) { earlier.push_back(stop); }});
  EXPECT_TRUE(outcome.held());
  EXPECT_EQ(earlier, std::vector<unsigned>{1});
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(HeldCallTest, AStopThatItNeverComesToIsNotHeld) {
  const auto source = memory_->fill(content_, 0, 3 * page_);
  const HeldOutcome outcome = hold(*memory_, write_of(source), [] {}, {.stop = 2});
  EXPECT_FALSE(outcome.stopped);
  EXPECT_FALSE(outcome.held());
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(HeldCallTest, BehindTheMemoryNothingCanBeRead) {
  const auto source = memory_->fill(content_, page_, 2 * page_);
  const HeldOutcome outcome = hold(
      *memory_, [&] { return pwrite(file_.get(), source.data(), source.size() + page_, 0); }, [] {});
  EXPECT_TRUE(outcome.held());
  EXPECT_GT(outcome.result, 0);
  EXPECT_LE(outcome.result, static_cast<std::int64_t>(content_.size()));
}

// The negative controls: no claim of a hold where there was none.
TEST_F(HeldCallTest, ACallThatDoesNotComeToThePageIsNotHeld) {
  const auto source = memory_->fill(content_, 0, 5 * page_);
  int times = 0;
  const HeldOutcome before = hold(*memory_, write_of(source.first(5 * page_)), [&] { ++times; });
  EXPECT_FALSE(before.stopped);
  EXPECT_FALSE(before.held());
  const Fd closed;
  const HeldOutcome refused = hold(
      *memory_, [&] { return pwrite(closed.get(), source.data(), source.size(), 0) < 0 ? -errno : 0; },
      [&] { ++times; });
  EXPECT_FALSE(refused.held());
  EXPECT_EQ(refused.result, -EBADF);
  EXPECT_EQ(times, 2);
}

TEST_F(HeldCallTest, WhatWaitsForTheCallEndsTheHold) {
  const auto source = memory_->fill(content_, 0, 5 * page_);
  std::promise<void> ended;
  const HeldOutcome outcome = hold(
      *memory_,
      [&] {
        const ssize_t returned = pwrite(file_.get(), source.data(), source.size(), 0);
        ended.set_value();
        return returned;
      },
      [&] { ended.get_future().wait(); }, {.limit = milliseconds{20}});
  EXPECT_TRUE(outcome.stopped);
  EXPECT_FALSE(outcome.beside_ended);
  EXPECT_FALSE(outcome.held());
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(HeldCallAnywhere, WithTheStandInNothingIsEverHeld) {
  const auto cold = WithheldMemory::open_cold(content_.size(), make_file_, "asked for");
  EXPECT_EQ(cold->refusal(), "asked for");
  const auto source = cold->fill(content_, 0, 5 * page_);
  bool done = false;
  const HeldOutcome outcome = hold(*cold, write_of(source), [&] { done = true; });
  EXPECT_TRUE(done);
  EXPECT_FALSE(outcome.held());
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(HeldCallAnywhere, WhoMayNotWithholdIsToldWhatToChange) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be nobody";
  if (access("/proc/sys/vm/unprivileged_userfaultfd", R_OK) != 0)
    GTEST_SKIP() << "this kernel lets everyone (before 5.2)";
  if (read_file("/proc/sys/vm/unprivileged_userfaultfd").front() != '0') GTEST_SKIP() << "this machine lets everyone";
  const Fd stand_in = make_file_();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(2);
    const auto memory = WithheldMemory::open(page_, [&] { return Fd(dup(stand_in.get())); });
    const std::string& why = memory->refusal();
    const bool told = why.find("vm.unprivileged_userfaultfd = 1") != std::string::npos &&
                      why.find("/dev/userfaultfd") != std::string::npos && why.find("EPERM") != std::string::npos;
    _exit(told && memory->descriptor() < 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(HeldCallTest, AnErrorBesideTheCallIsThrownWhenTheCallHasEnded) {
  const auto source = memory_->fill(content_, 0, 5 * page_);
  EXPECT_THROW(hold(*memory_, write_of(source), [] { throw std::runtime_error("beside"); }), std::runtime_error);
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(HeldCallAnywhere, AContenderThatWaitsAndOneThatDoesNot) {
  const Fd first = open_file(directory_, O_RDONLY), second = open_file(directory_, O_RDONLY);
  const auto lock = [&] { return flock(second.get(), LOCK_EX); };
  ASSERT_EQ(flock(first.get(), LOCK_EX), 0);
  Contender waits(lock);
  EXPECT_FALSE(waits.ended_at_once());
  EXPECT_FALSE(waits.ends_within(milliseconds{1}));
  ASSERT_EQ(flock(first.get(), LOCK_UN), 0);
  EXPECT_EQ(waits.result(), 0);
  Contender does_not(lock);
  EXPECT_TRUE(does_not.ended_at_once());
  EXPECT_EQ(does_not.result(), 0);
}

// A process that is told to end, or killed, while a call of it is held.
class SignalledWhileHeld : public HeldCallTest {
 protected:
  // A child that holds a write until the signal has come; it exits with 0 when the write was not hurt.
  int status_after(int signal) {
    int ready[2];
    if (pipe(ready) != 0) return -1;
    const pid_t child = fork();
    if (child == 0) {
      static volatile sig_atomic_t come = 0;
      ::signal(SIGTERM, [](int) { come = 1; });
      const auto memory = WithheldMemory::open(content_.size(), make_file_);
      const auto source = memory->fill(content_, 0, 5 * page_);
      const HeldOutcome outcome = hold(*memory, write_of(source),
                                       [&] {
                                         if (write(ready[1], "x", 1) != 1) _exit(3);
                                         while (come == 0) usleep(100);
                                       },
                                       {.limit = milliseconds{5000}});
      _exit(outcome.held() && outcome.result == static_cast<std::int64_t>(content_.size()) ? 0 : 1);
    }
    char byte = 0;
    if (read(ready[0], &byte, 1) != 1) return -1;
    kill(child, signal);
    int status = -1;
    waitpid(child, &status, 0);
    close(ready[0]);
    close(ready[1]);
    return status;
  }
};

TEST_F(SignalledWhileHeld, TheWriteIsNotCutShort) {
  const int status = status_after(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(in_file(content_.size()), content_);
}

TEST_F(SignalledWhileHeld, AKilledProcessIsGoneAndTheFileIsFree) {
  const int status = status_after(SIGKILL);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(ftruncate(file_.get(), 0), 0);  // would wait for the write if it were still there
}

}  // namespace
}  // namespace writecanary::probe
