// Whose evidence it is that lies in the evidence directory.
//
// Evidence is kept under the numbers of runs, and numbers mean something in one database only: where that was lost,
// made anew or restored from a copy, they are given out again. The directory therefore says the id of its database.
// What belongs to another one, or to a run that this one does not know, is set aside in a folder `unknown-<time>`
// before the first run begins. Nothing is removed here, and nothing is ever removed from such a folder. Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "storage/reader/reader.h"

namespace writecanary::daemon {

// The run that a directory of evidence is named after.
std::optional<std::int64_t> evidence_run(const std::string& name);
// Whether a folder of that name holds what was set aside.
bool is_set_aside(const std::string& name);

class EvidenceOwner {
 public:
  // `root` is the evidence directory, which exists. `reader` must outlive this.
  EvidenceOwner(const storage::Reader& reader, std::string root, SystemTime now)
      : reader_(reader), root_(std::move(root)), started_(now) {}

  // Makes what lies there the evidence of the database with this id, once at the start, and logs what was set aside.
  // Throws SystemError, and StorageError.
  void claim(const std::string& database_id);
  // Moves the evidence under that number away, and logs where to. Throws SystemError.
  void set_aside(std::int64_t run_id);

 private:
  std::optional<std::string> owner() const;
  void write_owner(const std::string& directory, const std::string& database_id) const;
  std::vector<std::int64_t> all() const;
  void move_away(std::int64_t run_id);

  const storage::Reader& reader_;
  const std::string root_;
  const SystemTime started_;
  std::string folder_;  // of this start; empty until it is needed
};

}  // namespace writecanary::daemon
