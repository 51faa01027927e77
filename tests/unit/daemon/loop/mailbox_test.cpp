#include "daemon/loop/mailbox.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace writecanary::daemon {
namespace {

using std::chrono::milliseconds;

api::Command command(std::int64_t id) { return api::StopRun{id}; }
std::int64_t id_of(const api::Command& command) { return std::get<api::StopRun>(command).run_id; }
int refusal_status(const api::CommandResult& result) {
  const auto* refusal = std::get_if<api::Refusal>(&result);
  return refusal == nullptr ? 0 : refusal->status;
}

TEST(Mailbox, EveryCallerGetsItsOwnAnswer) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  Mailbox mailbox(milliseconds{60'000});
  EventLoop loop;
  int handled = 0;
  const auto watch = loop.watch(mailbox.fd(), EPOLLIN, [&] {
    mailbox.drain([&](const api::Caller&, const api::Command& wanted) -> api::CommandResult {
      ++handled;
      return api::Accepted{id_of(wanted) * 2, false};
    });
  });
  std::atomic<int> right{0};
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (std::int64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::int64_t i = 0; i < kEach; ++i) {
        const auto result = mailbox.execute({}, command(t * kEach + i));
        if (std::get<api::Accepted>(result).id == (t * kEach + i) * 2) ++right;
      }
    });
  }
  while (handled < kThreads * kEach) loop.run_once();
  threads.clear();
  EXPECT_EQ(right, kThreads * kEach);
}

TEST(Mailbox, WhatWasNotBegunInTimeIsWithdrawn) {
  Mailbox mailbox(milliseconds{1});
  const auto result = mailbox.execute({}, command(1));
  EXPECT_EQ(refusal_status(result), 503);
  EXPECT_NE(std::get<api::Refusal>(result).detail.find("nothing was done"), std::string::npos);
  int handled = 0;
  mailbox.drain([&](const api::Caller&, const api::Command&) -> api::CommandResult {
    ++handled;
    return api::Accepted{};
  });
  EXPECT_EQ(handled, 0);
}

TEST(Mailbox, IsBounded) {
  Mailbox mailbox(milliseconds{60'000});
  std::vector<std::jthread> waiting;
  std::atomic<int> refused{0};
  // Nobody drains, so exactly those beyond the capacity come back at once.
  for (std::size_t i = 0; i < kMailboxCapacity + 3; ++i) {
    waiting.emplace_back([&] {
      if (refusal_status(mailbox.execute({}, command(1))) == 503) ++refused;
    });
  }
  while (refused < 3) std::this_thread::yield();
  EXPECT_EQ(refused, 3);
  mailbox.close();
  waiting.clear();
  EXPECT_EQ(refused, static_cast<int>(kMailboxCapacity) + 3);
  EXPECT_EQ(refusal_status(mailbox.execute({}, command(1))), 503);
}

TEST(Mailbox, AHandlerThatFailsIsAnAnswerToo) {
  Mailbox mailbox(milliseconds{60'000});
  api::CommandResult result;
  std::jthread caller([&] { result = mailbox.execute({}, command(1)); });
  EventLoop loop;
  bool handled = false;
  const auto watch = loop.watch(mailbox.fd(), EPOLLIN, [&] {
    mailbox.drain([&](const api::Caller&, const api::Command&) -> api::CommandResult {
      handled = true;
      throw std::runtime_error("disk full");
    });
  });
  while (!handled) loop.run_once();
  caller.join();
  EXPECT_EQ(refusal_status(result), 503);
  EXPECT_EQ(std::get<api::Refusal>(result).detail, "disk full");
}

}  // namespace
}  // namespace writecanary::daemon
