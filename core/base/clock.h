// Time comes in through here, so that everything else can be tested with a clock that stands still.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace writecanary {

using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime now() const = 0;     // the wall clock, may jump
  virtual SteadyTime steady() const = 0;  // never goes back
  // Never goes back either, and goes on while the host sleeps. To be compared with itself alone.
  virtual SteadyTime with_sleep() const { return steady(); }
};

// The real one; safe from any thread.
class SystemClock final : public Clock {
 public:
  SystemTime now() const override { return std::chrono::system_clock::now(); }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
  SteadyTime with_sleep() const override {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return SteadyTime{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
  }
};

inline std::int64_t to_unix_ms(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
inline SystemTime from_unix_ms(std::int64_t ms) { return SystemTime{std::chrono::milliseconds{ms}}; }

}  // namespace writecanary
