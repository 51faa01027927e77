// The part of the daemon that runs everything once and prints a table.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/system_text.h"
#include "daemon/daemon.h"

namespace writecanary::daemon {
namespace {

std::string table_row(const std::string& target, const std::string& profile, const RunEnd& end) {
  return fmt::format("{:<12} {:<18} {:<12} {:>8} {:>10} {:>9}  {}\n", target, profile, to_string(end.verdict),
                     end.counters.writes, end.counters.exposures, end.tally.total(), system_text(end.reason));
}

}  // namespace

int Daemon::run_once() {
  begin();
  std::string table = fmt::format("{:<12} {:<18} {:<12} {:>8} {:>10} {:>9}  {}\n", "TARGET", "PROFILE", "VERDICT",
                                  "WRITES", "EXPOSURES", "FINDINGS", "REASON");
  std::optional<Verdict> worst;
  desk_.on_finished([&](const std::string& target, const RunResult& result) {
    table += table_row(target, result.profile, result.end);
    worst = worst ? worse(*worst, result.end.verdict) : result.end.verdict;
  });
  for (const auto& target : config_.targets) {
    for (const auto& profile : target.settings.profiles) {
      RunOrder order;
      order.target = target.name;
      order.profile = profile;
      order.trigger = "startup";
      desk_.order(order);
    }
  }
  desk_.pass();
  while (!desk_.settled() && !stopping_) {
    loop_.run_once();
    desk_.pass();
  }
  if (stopping_) shut_down();
  fmt::print("{}", table);
  return worst ? exit_code(*worst) : 1;
}

}  // namespace writecanary::daemon
