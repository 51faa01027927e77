// Whether the wall clock can be believed, judged by the clock that nobody sets.
//
// A wall clock that is a year ahead for a minute must not make a year's history old. Slewing by adjtime(3) or NTP goes
// to the wall clock and to the time since boot alike (clock_gettime(2)), so their difference changes only when somebody
// sets the wall clock. What was believed before and the time that went by since therefore say what it should read. Over
// a reboot that is known less exactly, and only the direction is checked and that the gap is no longer than hosts are
// usually off.
//
// Here is only the judgement: pure, and of no opinion on what is right when the two disagree. While they do, the
// believed time goes on from before; another time is believed once the wall clock has kept to it for kSettling.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace writecanary::daemon {

// Steps that are corrections and not faults.
inline constexpr std::chrono::minutes kStepTolerated{5};
// How far the wall clock may have gone on over a reboot: a holiday.
inline constexpr std::chrono::hours kOffTolerated{24 * 7};
// Nobody ran this program before. What a clock says that was not set yet is no reason to doubt what it says after it
// was.
inline constexpr std::int64_t kNotSetBeforeMs = 1'735'689'600'000;  // 2025-01-01
// So long the wall clock must go evenly to be believed again. Long enough for somebody to look at it after a weekend.
inline constexpr std::chrono::hours kSettling{24 * 7};

// Both clocks at one moment.
struct ClockReading {
  std::int64_t wall_ms = 0;
  std::int64_t boot_ms = 0;  // since boot, sleep included
  std::string boot;          // which boot

  bool operator==(const ClockReading&) const = default;
};

// Whether the wall clock of `now` is what it should be if that of `before` was right.
bool agrees(const ClockReading& before, const ClockReading& now);

// What outlives a daemon.
struct ClockMemory {
  ClockReading trusted;  // the last that was believed
  struct Other {
    ClockReading last;
    std::int64_t since_ms = 0;  // by the wall clock
    bool operator==(const Other&) const = default;
  };
  std::optional<Other> other;  // the time that is not believed yet

  bool operator==(const ClockMemory&) const = default;
};
void to_json(nlohmann::json& out, const ClockMemory& memory);
void from_json(const nlohmann::json& in, ClockMemory& memory);  // throws nlohmann::json::exception

class ClockTrust {
 public:
  explicit ClockTrust(ClockMemory memory) : memory_(std::move(memory)) {}

  enum class Change { kNone, kJumped, kBack, kSettled };
  Change look(const ClockReading& now);

  bool suspect() const { return memory_.other.has_value(); }
  // What the wall clock should read now.
  std::int64_t believed_ms(const ClockReading& now) const;
  const ClockMemory& memory() const { return memory_; }

 private:
  ClockMemory memory_;
};

}  // namespace writecanary::daemon
