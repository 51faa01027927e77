// Keeps the database and the kept evidence within what the configuration allows, a little at a time.
//
// Runs with findings that nobody has acknowledged are never removed. When they are old, or there is no other way to
// keep the database within its size, they are thinned out: the run with its counts and its first findings stays.
// Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

  // One small step, of some milliseconds. True when there is more to do. Throws StorageError.
  bool step(const Config& config, SystemTime now);

 private:
  std::vector<std::int64_t> remove_some(const Config& config, SystemTime now);
  bool thin_out(const Config& config, SystemTime now);
  void list_evidence();
  void look_for_orphans();
  void remove_evidence(std::int64_t run_id) const;

  storage::Store& store_;
  const storage::Reader& reader_;
  std::string evidence_root_;
  std::uint64_t runs_ = 0;  // as of runs_counted_
  SystemTime runs_counted_{};
  bool evidence_listed_ = false;  // once after the start, a crash may have left some
  std::vector<std::int64_t> evidence_to_check_;
};

}  // namespace writecanary::daemon
