// What is kept of a damaged file, for someone who was not there: the file itself and one JSON document with all that is
// known of how it came to be.
//
// <directory>/<name> is the file, <directory>/<name>.evidence.json the document (docs/evidence.md says what is in it,
// docs/evidence.schema.json exactly how). Never on the tested filesystem. Of a run the first files are kept, within its
// budget of bytes; findings that were made without a file get a document alone. Judging the file again from the
// document is probe/explain.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/run_spec.h"
#include "probe/verifier.h"

namespace writecanary::probe {

class EvidenceKeeper {
 public:
  // The spec must outlive the keeper. With no evidence directory in it nothing is kept.
  explicit EvidenceKeeper(const RunSpec& spec) : spec_(spec) {}

  // What the run knows beside the file.
  struct Moment {
    const FilesystemFacts& filesystem;
    const PressureFacts& pressure;
    std::uint64_t elapsed_us;
    std::uint64_t writes_made;  // in the whole run so far
  };

  // Keeps a file with findings. A full or unreadable evidence directory is said on stderr and does not end the run: the
  // findings themselves travel another way.
  void keep(int fd, const FileLog& log, const FileReport& report, const Moment& moment);
  // The same for a finding that was made without judging a file: its document has no log and no segments.
  void keep(const Finding& finding, const Moment& moment);

 private:
  bool wanted() const;
  void write(int fd, const FileLog* log, const FileReport& report, const std::string& name, const Moment& moment);
  std::uint64_t room() const;

  const RunSpec& spec_;
  std::uint64_t files_ = 0;
  bool finding_kept_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace writecanary::probe
