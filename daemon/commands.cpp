#include "daemon/commands.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

#include "core/base/json_text.h"
#include "core/base/limits.h"
#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

api::Refusal conflict(const std::string& type, const std::string& title, const std::string& detail) {
  return {409, type, title, detail, {}};
}

// What is asked for, as text that two requests have in common only when they ask for the same.
std::string request_of(const api::StartRun& command) {
  const auto or_null = [](const auto& value) { return value ? nlohmann::json(*value) : nlohmann::json(); };
  nlohmann::json request = {{"target", command.target},
                            {"profile", command.profile},
                            {"duration_ms", or_null(command.duration_ms)},
                            {"writes", or_null(command.writes)},
                            {"seed", or_null(command.seed)},
                            {"memory_bytes", or_null(command.memory_bytes)},
                            {"options", command.options},
                            {"classic", command.classic},
                            {"queue", command.queue}};
  if (!command.more_profiles.empty()) request["more_profiles"] = command.more_profiles;
  return json_text(request);
}

// Of the run with this number in the order. A key of a caller has no blanks.
storage::RequestKey key_of_run(storage::RequestKey key, std::size_t number) {
  if (!key.key.empty() && number > 0) key.key += fmt::format(" {}", number);
  return key;
}

// Scopes that are no caller's name cannot be taken by one.
storage::RequestKey key_of(const api::StartRun& command, const std::string& who) {
  if (command.idempotency_key.empty()) return {};
  const std::string scope = command.key_scope.empty() ? "caller:" + who : "scope:" + command.key_scope;
  return {scope, command.idempotency_key, request_of(command)};
}

api::Refusal unknown_target(const std::string& target, int status) {
  const auto detail = fmt::format("no target \"{}\" is configured here. GET /api/v1/targets lists them", target);
  return {status, "unknown-target", "No such target", detail, {{"target", detail}}};
}

}  // namespace

api::CommandResult Commands::execute(const api::Caller& caller, const api::Command& command) {
  storage::AuditRow row{.at_ms = to_unix_ms(clock_.now()),
                        .who = caller.who,
                        .address = caller.address,
                        .request_id = caller.request_id,
                        .method = caller.method,
                        .path = caller.path,
                        .outcome = std::nullopt,
                        .detail = ""};
  if (const auto* refused = std::get_if<api::RefusedChange>(&command)) {
    row.outcome = "refused";
    row.detail = refused->reason;
    store_.add_audit(row);
    spdlog::warn("{} {} by {} ({}) refused: {}", caller.method, caller.path, caller.who, caller.address, row.detail);
    return api::Accepted{};
  }
  const auto id = store_.add_audit(row);
  auto result = [&] {
    try {
      return std::visit(
          [&](const auto& wanted) -> api::CommandResult {
            if constexpr (std::is_same_v<decltype(wanted), const api::RefusedChange&>) {
              return api::Accepted{};
            } else {
              return carry_out(wanted, caller.who);
            }
          },
          command);
    } catch (const std::exception& error) {
      store_.complete_audit(id, "failed", error.what());
      throw;
    }
  }();
  complete_audit(id, result);
  return result;
}

void Commands::complete_audit(std::int64_t id, const api::CommandResult& result) {
  const auto* refusal = std::get_if<api::Refusal>(&result);
  try {
    store_.complete_audit(id, refusal == nullptr ? "done" : "refused",
                          refusal == nullptr ? "" : refusal->type + ": " + refusal->detail);
  } catch (const storage::StorageError& error) {
    // The change itself is committed; its row says that it was begun.
    spdlog::error("{}", error.what());
  }
}

std::optional<api::Refusal> Commands::refuse_start(const api::StartRun& command) const {
  const auto* desk = desk_.find(command.target);
  if (desk == nullptr) return unknown_target(command.target, 422);
  std::vector<std::string> profiles = command.more_profiles;
  profiles.insert(profiles.begin(), command.profile);
  for (const std::string& profile : profiles) {
    if (find_profile(catalogue_, profile) != nullptr) continue;
    const auto detail = fmt::format("no profile \"{}\". GET /api/v1/profiles lists them", profile);
    return api::Refusal{422, "unknown-profile", "No such profile", detail, {{"profile", detail}}};
  }
  if (!desk->mount.usable) return conflict("target-not-mounted", "The target is not mounted", desk->mount.reason);
  if (desk->stuck()) {
    return conflict("target-stuck", "The target is stuck",
                    fmt::format("target \"{}\": the last probe hangs in the kernel; no run begins before it is gone",
                                command.target));
  }
  if (desk->paused) {
    return conflict("target-paused", "The target is paused",
                    fmt::format("target \"{}\" is paused ({}). Resume it first", command.target,
                                desk->paused_note.empty() ? "no note" : desk->paused_note));
  }
  if (budget_left(desk->config, desk->bytes_today) == 0U) {
    return conflict("budget-spent", "The daily byte budget is spent",
                    fmt::format("target \"{}\": {} were written today, max_bytes_per_day is {}. Wait until 00:00 UTC, "
                                "or raise it",
                                command.target, format_size(desk->bytes_today),
                                format_size(desk->config.settings.bytes_per_day_max)));
  }
  const auto* holder = desk_.holder_of(*desk);
  if (holder != nullptr && holder->stuck()) {
    return conflict(
        "target-stuck", "The target is stuck",
        fmt::format("target \"{}\": target \"{}\" is on the same filesystem, and its last probe hangs in the "
                    "kernel; no run begins before it is gone",
                    command.target, holder->config.name));
  }
  if (holder != nullptr && !command.queue) {
    return conflict("target-busy", "The target is busy",
                    fmt::format("target \"{}\": target \"{}\" is on the same filesystem, and a run goes on there. Stop "
                                "it, or set \"queue\": true to wait behind it",
                                command.target, holder->config.name));
  }
  if (desk->busy() && !command.queue) {
    return conflict("target-busy", "The target is busy",
                    fmt::format("target \"{}\": a run is going on or waits. Stop it, or set \"queue\": true to wait "
                                "behind it",
                                command.target));
  }
  // The first of them need not wait where nothing goes on.
  const std::size_t places = kQueuedRunsPerTarget + (desk->busy() ? 0 : 1);
  if (desk->queue.size() + 1 + command.more_profiles.size() > places) {
    return conflict(
        "queue-full", "The target's queue is full",
        fmt::format("target \"{}\": {} runs wait and {} are asked for, but at most {} can wait. Wait for one "
                    "to end, or stop some",
                    command.target, desk->queue.size(), 1 + command.more_profiles.size(), kQueuedRunsPerTarget));
  }
  return std::nullopt;
}

api::CommandResult Commands::carry_out(const api::StartRun& command, const std::string& who) {
  const auto key = key_of(command, who);
  const auto now = to_unix_ms(watch_.believed());
  if (const auto earlier = key.key.empty() ? std::nullopt : store_.run_of_key(key, now)) {
    if (earlier->same_request) {
      api::Accepted accepted{earlier->run_id, true, {}};
      for (std::size_t number = 1; number <= command.more_profiles.size(); ++number) {
        // A daemon that ended in the midst of the order did not get to the rest.
        const auto other = store_.run_of_key(key_of_run(key, number), now);
        accepted.more.push_back(other ? other->run_id : order(command, number, key, who));
      }
      return accepted;
    }
    return api::Refusal{422,
                        "idempotency-key-reused",
                        "The Idempotency-Key belongs to another request",
                        fmt::format("the key \"{}\" started run {} with another body within the last day. Give a new "
                                    "request a new key",
                                    key.key, earlier->run_id),
                        {}};
  }
  if (const auto refusal = refuse_start(command)) return *refusal;
  api::Accepted accepted{order(command, 0, key, who), false, {}};
  for (std::size_t number = 1; number <= command.more_profiles.size(); ++number) {
    accepted.more.push_back(order(command, number, key, who));
  }
  return accepted;
}

// The run with this number in what was asked for.
std::int64_t Commands::order(const api::StartRun& command, std::size_t number, const storage::RequestKey& key,
                             const std::string& who) {
  RunOrder order;
  order.target = command.target;
  order.profile = number == 0 ? command.profile : command.more_profiles[number - 1];
  order.trigger = "api";
  order.requested_by = who;
  order.duration_ms = command.duration_ms;
  order.writes = command.writes;
  order.seed = command.seed;
  order.memory_bytes = command.memory_bytes;
  const ProfileInfo* profile = find_profile(catalogue_, order.profile);
  for (const auto& [name, value] : command.options) {
    const auto has = [&name](const ProfileOption& option) { return option.name == name; };
    if (profile != nullptr && std::ranges::any_of(profile->options, has)) order.options[name] = value;
  }
  order.classic = command.classic;
  order.key = key_of_run(key, number);
  const auto id = desk_.order(order);
  spdlog::info("run {}: asked for by {}: {} on target {}", id, who, order.profile, command.target);
  return id;
}

api::CommandResult Commands::carry_out(const api::StopRun& command, const std::string& who) {
  if (!desk_.stop(command.run_id, who)) {
    return conflict("run-not-active", "The run is not active",
                    fmt::format("run {} neither waits nor runs, so there is nothing to stop", command.run_id));
  }
  spdlog::info("run {}: stop asked for by {}", command.run_id, who);
  return api::Accepted{command.run_id, false};
}

api::CommandResult Commands::carry_out(const api::SetPaused& command, const std::string& who) {
  if (desk_.find(command.target) == nullptr) return unknown_target(command.target, 404);
  auto note = command.note;
  if (command.paused && !who.empty()) {
    note = note.empty() ? "by " + who : fmt::format("{} (by {})", note, who);
  }
  desk_.set_paused(command.target, command.paused, note);
  spdlog::info("target {}: {} by {}", command.target, command.paused ? "paused" : "resumed", who);
  return api::Accepted{};
}

api::CommandResult Commands::carry_out(const api::AckFinding& command, const std::string& who) {
  if (!store_.acknowledge_finding(command.finding_id, who, command.note, to_unix_ms(clock_.now()))) {
    return api::Refusal{
        404, "unknown-finding", "No such finding", fmt::format("there is no finding {}", command.finding_id), {}};
  }
  show_incidents();
  spdlog::info("finding {}: acknowledged by {}", command.finding_id, who);
  return api::Accepted{command.finding_id, false};
}

api::CommandResult Commands::carry_out(const api::AckIncidents& command, const std::string& who) {
  const auto ids =
      store_.acknowledge(command.which, {to_unix_ms(clock_.now()), who, command.note, command.until, command.until_ms});
  show_incidents();
  for (const auto id : ids) spdlog::info("incident {}: acknowledged by {}", id, who);
  return api::Accepted{ids.empty() ? 0 : ids.front(), false, {}, ids};
}

void Commands::show_incidents() {
  metrics_.set_open_incidents(store_.open_incidents());
  desk_.publish_events();
}

}  // namespace writecanary::daemon
