// The time that decisions go by which cannot be undone: what is removed for its age, what expires, which day's budget
// it is. It is the wall clock's as long as that can be believed (daemon/clock/clock_trust.h), and goes on from there by
// the time since boot when it cannot. What happened is stamped with the wall clock all the same: which of the two is
// right nobody here can know.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "daemon/clock/clock_trust.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

class ClockWatch {
 public:
  // Takes over what the database remembers; an older one only knows when its newest run was. `boot_id` is this boot's.
  // Both references must outlive this. Throws StorageError.
  ClockWatch(storage::Store& store, const Clock& clock, std::string boot_id);

  // Looks at both clocks, and logs when they begin to disagree and when that is over. Loop thread. Throws StorageError.
  void look();

  // As of the last look; any thread.
  bool suspect() const { return suspect_; }
  SystemTime believed() const;
  // What a person should know. Loop thread.
  std::vector<std::string> notices() const;

 private:
  ClockReading read() const;
  void settle(const ClockReading& now);

  storage::Store& store_;
  const Clock& clock_;
  const std::string boot_id_;
  ClockTrust trust_;
  ClockMemory remembered_;
  std::atomic<bool> suspect_ = false;
  std::atomic<std::int64_t> offset_ms_ = 0;  // of the believed time to that since boot
};

}  // namespace writecanary::daemon
