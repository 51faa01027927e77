#include "daemon/loop/mailbox.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace writecanary::daemon {
namespace {

api::Refusal unavailable(std::string detail) {
  return {503, "unavailable", "The daemon cannot take this now", std::move(detail), {}};
}

}  // namespace

api::CommandResult Mailbox::execute(api::Caller caller, api::Command command) {
  const auto letter = std::make_shared<Letter>();
  letter->caller = std::move(caller);
  letter->command = std::move(command);
  auto answer = letter->answer.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return unavailable("the daemon is shutting down. Ask again when it is back");
    if (letters_.size() >= kMailboxCapacity) {
      return unavailable(fmt::format("{} commands wait already, the limit. Ask again in a moment", kMailboxCapacity));
    }
    letters_.push_back(letter);
  }
  wake_up_.signal();
  if (answer.wait_for(patience_) == std::future_status::ready) return answer.get();

  const std::lock_guard lock(mutex_);
  if (letter->begun) {
    // It may be done this very moment; what it came to stands in the database.
    if (answer.wait_for(std::chrono::seconds{0}) == std::future_status::ready) return answer.get();
    return unavailable(
        fmt::format("the command was begun but not done within {} ms. Look at the state before you "
                    "ask again",
                    patience_.count()));
  }
  letter->withdrawn = true;
  return unavailable(fmt::format("the daemon did not answer within {} ms; nothing was done. Ask again in a moment",
                                 patience_.count()));
}

void Mailbox::drain(const std::function<api::CommandResult(const api::Caller&, const api::Command&)>& handler) {
  wake_up_.clear();
  while (true) {
    std::shared_ptr<Letter> letter;
    {
      const std::lock_guard lock(mutex_);
      if (letters_.empty()) return;
      letter = std::move(letters_.front());
      letters_.pop_front();
      if (letter->withdrawn) continue;
      letter->begun = true;
    }
    try {
      letter->answer.set_value(handler(letter->caller, letter->command));
    } catch (const std::exception& error) {
      letter->answer.set_value(unavailable(error.what()));
    }
  }
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& letter : letters_) {
    if (!letter->withdrawn) letter->answer.set_value(unavailable("the daemon is shutting down"));
  }
  letters_.clear();
}

}  // namespace writecanary::daemon
