// Keeps the database and the kept evidence within what the configuration allows, a little at a time.
//
// Runs with findings that nobody has acknowledged are never removed. When they are old, or there is no other way to
// keep the database within its size, they are thinned out: the run with its counts and its first findings stays.
// Loop thread.
#pragma once

#include <cstdint>
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

  // One small step, of some milliseconds. True when there is more to do. Throws StorageError.
  bool step(const Config& config, SystemTime now);

  std::uint64_t evidence_bytes() const { return evidence_.bytes(); }
  // What a person should know of.
  std::vector<std::string> notices() const;

 private:
  std::vector<std::int64_t> remove_some(const Config& config, SystemTime now);
  bool thin_out(const Config& config, SystemTime now);

  storage::Store& store_;
  EvidenceKeeper evidence_;
  std::uint64_t runs_ = 0;  // as of runs_counted_
  SystemTime runs_counted_{};
};

}  // namespace writecanary::daemon
