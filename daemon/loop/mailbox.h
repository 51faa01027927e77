// Commands from HTTP threads to the loop: bounded, and never answered twice.
//
// A caller waits at most kCommandTimeout. A command that the loop has not begun by then is taken back, so that a
// request answered with 503 does not happen later after all.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>

#include "api/loop/commands.h"
#include "core/base/limits.h"
#include "core/loop/event_loop.h"

namespace writecanary::daemon {

class Mailbox final : public api::CommandPort {
 public:
  explicit Mailbox(std::chrono::milliseconds patience = kCommandTimeout) : patience_(patience) {}

  // Any thread.
  api::CommandResult execute(api::Caller caller, api::Command command) override;

  // Readable when a command waits.
  int fd() const { return wake_up_.fd(); }
  // Loop thread: runs the handler for every waiting command. A handler that throws ends in a 503 that says why.
  void drain(const std::function<api::CommandResult(const api::Caller&, const api::Command&)>& handler);
  // From now on every command is refused; waiting ones too.
  void close();

 private:
  struct Letter {
    api::Caller caller;
    api::Command command;
    std::promise<api::CommandResult> answer;
    bool begun = false;      // guarded by mutex_
    bool withdrawn = false;  // guarded by mutex_
  };

  const std::chrono::milliseconds patience_;
  WakeUp wake_up_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<Letter>> letters_;  // guarded by mutex_
  bool closed_ = false;                          // guarded by mutex_
};

}  // namespace writecanary::daemon
