// The races of the side-by-side profile: what two threads do to one file at the same time.
//
// A new one is a row of the table in races.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "probe/profiles/side_by_side/race_file.h"

namespace writecanary::probe {

// What the two threads of a round know of each other.
class Meeting {
 public:
  // ---- the other thread's: around each call that may meet a change
  template <typename Call>
  void call(const Call& made) {
    calls_.fetch_add(1, std::memory_order_acq_rel);
    made();
    calls_.fetch_add(1, std::memory_order_acq_rel);
  }
  bool is_over() const { return over_.load(std::memory_order_acquire); }
  void fail(int error_number) { error_.store(error_number, std::memory_order_release); }

  // ---- the changing thread's
  // Makes a change, and counts it when one of the other's calls was under way.
  template <typename Change>
  void beside(const Change& change) {
    const std::uint64_t before = calls_.load(std::memory_order_acquire);
    change();
    if (before % 2 == 1 || calls_.load(std::memory_order_acquire) != before) ++met_;
  }
  bool is_called() const { return calls_.load(std::memory_order_acquire) % 2 == 1; }
  // Until the other has begun its first call; false when it failed instead.
  bool wait() const;
  void end() { over_.store(true, std::memory_order_release); }
  std::uint64_t met() const { return met_; }
  int error() const { return error_.load(std::memory_order_acquire); }

  // Both wait there for each other, again and again; false when it is over.
  bool step();

 private:
  std::atomic<std::uint64_t> calls_{0};  // odd while one is under way
  std::atomic<std::uint64_t> arrived_{0};
  std::atomic<bool> over_{false};
  std::atomic<int> error_{0};
  std::uint64_t met_ = 0;
};

struct Race {
  const char* name;  // "a hole beside write-back"
  // Nothing is written back, or brought in, where the page cache is all that there is.
  bool needs_storage;
  // Makes the file what it has to be. False: this cannot be done here.
  bool (*prepare)(RaceFile& file);
  // Until the meeting is over, or once. Changes nothing. Must not throw.
  void (*other)(const RaceFile& file, Meeting& meeting);
  // In the calling thread. What it says is wrong is told as "zeroed", with `wrong` as its detail; empty for nothing.
  void (*change)(RaceFile& file, Meeting& meeting, Finding& wrong);
};

std::span<const Race> races();

}  // namespace writecanary::probe
