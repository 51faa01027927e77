#include "daemon/clock/clock_watch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/json_text.h"
#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

constexpr char kFact[] = "clock";

std::int64_t ms_of(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

ClockMemory recall(const storage::Store& store, const ClockReading& now) {
  if (const auto text = store.fact(kFact)) {
    try {
      return nlohmann::json::parse(*text).get<ClockMemory>();
    } catch (const nlohmann::json::exception&) {
      // Of a build that wrote it another way.
    }
  }
  ClockMemory memory{now, std::nullopt};
  if (const auto newest = store.newest_run_ms()) memory.trusted = {*newest, 0, ""};
  return memory;
}

}  // namespace

ClockWatch::ClockWatch(storage::Store& store, const Clock& clock, std::string boot_id)
    : store_(store), clock_(clock), boot_id_(std::move(boot_id)), trust_(recall(store, read())) {
  look();
}

ClockReading ClockWatch::read() const { return {to_unix_ms(clock_.now()), ms_of(clock_.with_sleep()), boot_id_}; }

void ClockWatch::look() {
  const auto now = read();
  const auto should_ms = trust_.believed_ms(now);
  const auto change = trust_.look(now);
  settle(now);
  if (change == ClockTrust::Change::kJumped) {
    spdlog::error("the wall clock reads {}, but by the time that went by it is {}: {}", format_timestamp(now.wall_ms),
                  format_timestamp(trust_.believed_ms(now)), "nothing is removed for its age");
  } else if (change == ClockTrust::Change::kBack) {
    spdlog::warn("the wall clock agrees again with the time that went by: {}", format_timestamp(now.wall_ms));
  } else if (change == ClockTrust::Change::kSettled) {
    spdlog::warn("the wall clock has gone evenly for {}, so it is believed: it is {} and no longer {}",
                 format_duration(kSettling), format_timestamp(now.wall_ms), format_timestamp(should_ms));
  }
  if (trust_.memory() == remembered_) return;
  store_.remember_fact(kFact, json_text(trust_.memory()));
  remembered_ = trust_.memory();
}

void ClockWatch::settle(const ClockReading& now) {
  offset_ms_ = trust_.believed_ms(now) - now.boot_ms;
  suspect_ = trust_.suspect();
}

SystemTime ClockWatch::believed() const { return from_unix_ms(ms_of(clock_.with_sleep()) + offset_ms_); }

std::vector<std::string> ClockWatch::notices() const {
  if (!suspect_) return {};
  const auto& other = *trust_.memory().other;
  return {
      fmt::format("The wall clock jumped: by the time that went by it is {}. Nothing is removed for its age before "
                  "it agrees again or {}",
                  format_timestamp(to_unix_ms(believed())),
                  format_timestamp(other.since_ms + std::chrono::milliseconds{kSettling}.count()))};
}

}  // namespace writecanary::daemon
