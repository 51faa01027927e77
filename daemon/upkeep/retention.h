// Keeps the database and the kept evidence within what the configuration allows, a little at a time.
//
// The few runs whose findings an incident keeps that is not resolved are never removed; of the others the findings are
// in its counts. Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "daemon/config/config.h"
#include "daemon/upkeep/evidence_keeper.h"
#include "storage/reader/reader.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

class Retention {
 public:
  // All must outlive this.
  Retention(storage::Store& store, const storage::Reader& reader, std::string evidence_root, SystemTime now)
      : store_(store), evidence_(reader, std::move(evidence_root), now) {}

  // Before the first run begins: sets evidence aside that is not of this database. Throws SystemError, StorageError.
  void begin() { evidence_.claim(store_.id()); }

  // When it is: by a clock that can be believed (daemon/clock/clock_watch.h).
  struct Time {
    SystemTime now;
    bool sure = true;  // false: nothing is old enough to go for that
    SteadyTime steady{};
  };
  // One small step, of some milliseconds. True when there is more to do. Throws StorageError.
  bool step(const Config& config, const Time& time);

  std::uint64_t evidence_bytes() const { return evidence_.bytes(); }
  // What a person should know of.
  std::vector<std::string> notices() const;

 private:
  std::vector<std::int64_t> remove_some(const Config& config, const Time& time);
  std::vector<std::int64_t> removable(const Config& config, const Time& time) const;

  storage::Store& store_;
  EvidenceKeeper evidence_;
  std::uint64_t runs_ = 0;  // as of runs_counted_
  std::optional<SteadyTime> runs_counted_;
};

}  // namespace writecanary::daemon
