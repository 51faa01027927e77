// Keeps the evidence of all runs together within what the configuration allows.
//
// Some findings come again with each run until the kernel is changed, and each brings its damaged files along. What
// was seen again goes first: of every target, profile and kernel the latest evidence stays as long as it can. Evidence
// of a run of which no finding is kept any more (storage/tables/incident_records.h) goes in any case.
// The runs and findings themselves are not touched. Whose evidence it is, and where it goes when it is nobody's, is
// daemon/upkeep/evidence_owner.h. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/upkeep/evidence_owner.h"
#include "storage/reader/reader.h"

namespace writecanary::daemon {

struct KeptEvidence {
  std::int64_t run_id = 0;
  std::uint64_t bytes = 0;
  std::string of;  // what it is another case of: target, profile and kernel
};

// The runs whose evidence has to go so that the rest is at most `bytes_max`: first those that a later one of the same
// kind follows, then the others, each from the earliest on.
std::vector<std::int64_t> surplus_evidence(std::vector<KeptEvidence> kept, std::uint64_t bytes_max);

class EvidenceKeeper {
 public:
  // `root` has a directory for each run, named after its number. `reader` must outlive this.
  EvidenceKeeper(const storage::Reader& reader, std::string root, SystemTime now)
      : reader_(reader), root_(std::move(root)), owner_(reader, root_, now) {}

  // Before the first run begins: EvidenceOwner::claim.
  void claim(const std::string& database_id);
  // One small step: looks at some directories that are new, sets aside those of runs that are not there, and removes
  // what is too much. True when there is more to do. Throws StorageError.
  bool step(std::uint64_t bytes_max);

  void remove(std::int64_t run_id);

  // Of what has been looked at.
  std::uint64_t bytes() const;
  // Paths of the folders with what was set aside, by whatever daemon.
  const std::set<std::string>& set_aside() const { return aside_; }

 private:
  void list();
  void drop_unkept();
  void look_at(std::int64_t run_id);
  void set_aside(std::int64_t run_id);

  const storage::Reader& reader_;
  std::string root_;
  EvidenceOwner owner_;
  std::map<std::int64_t, KeptEvidence> kept_;  // of finished runs
  std::vector<std::int64_t> to_look_at_;
  std::set<std::string> aside_;
  std::set<std::int64_t> immovable_;  // was said already
};

}  // namespace writecanary::daemon
