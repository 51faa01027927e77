// Keeps the database and the kept evidence within what the configuration allows, a little at a time.
//
// Runs with findings that nobody has acknowledged are never removed. Loop thread.
#pragma once

#include <string>

#include "core/clock.h"
#include "daemon/config.h"
#include "storage/reader.h"
#include "storage/store.h"

namespace writecanary::daemon {

class Retention {
 public:
  // All must outlive this.
  Retention(storage::Store& store, const storage::Reader& reader, std::string evidence_root)
      : store_(store), reader_(reader), evidence_root_(std::move(evidence_root)) {}

  // Removes one small batch: runs older than keep_runs, then the oldest ones while the database is too large, and the
  // evidence of runs that are gone. Call every few seconds. Returns how many runs went. Throws StorageError.
  int step(const Config& config, SystemTime now);

 private:
  void remove_orphaned_evidence() const;

  storage::Store& store_;
  const storage::Reader& reader_;
  std::string evidence_root_;
  bool evidence_checked_ = false;  // once after the start, a crash may have left some
};

}  // namespace writecanary::daemon
