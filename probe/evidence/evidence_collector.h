// What is kept of a damaged file, for someone who was not there: the file itself and one JSON document with all that is
// known of how it came to be.
//
// <directory>/<name> is the file, <directory>/<name>.evidence.json the document (docs/evidence.md says what is in it,
// docs/evidence.schema.json exactly how). Never on the tested filesystem. Of a run the first files are kept, within its
// budget of bytes; findings that were made without a file get a document alone. Judging the file again from what is
// kept is probe/explain.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "core/run/run_spec.h"
#include "probe/evidence/evidence_parts.h"
#include "probe/verify/content/content_view.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

class EvidenceCollector {
 public:
  // The spec must outlive the collector. With no evidence directory in it nothing is kept.
  explicit EvidenceCollector(const RunSpec& spec) : spec_(spec) {}

  // What the run knows beside the file.
  struct Moment {
    const FilesystemFacts& filesystem;
    const PressureFacts& pressure;
    std::uint64_t elapsed_us;
    std::uint64_t writes_made;  // in the whole run so far
  };

  // Copies a file as it is now. The next keep() of that name takes this copy instead of the file as it is then.
  void take(int fd, const std::string& name);
  // Keeps a file with findings. A full or unreadable evidence directory is said on stderr and does not end the run: the
  // findings themselves travel another way.
  void keep(int fd, const FileLog& log, const FileReport& report, const Moment& moment);
  // The same for a file whose right content is known: that is kept beside it, as <name>.expected.
  void keep(const ContentView& view, const FileReport& report, const Moment& moment);
  // The same for a finding that was made without judging a file: its document has no log and no segments.
  void keep(const Finding& finding, const Moment& moment);

 private:
  // What is kept, and what it is judged by: a log, the right content, or neither and no file.
  struct Kept {
    int fd = -1;
    std::string name;
    const FileLog* log = nullptr;
    const ContentView* view = nullptr;
  };
  struct Copy {
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;
  };

  // Fills the span from that offset on and returns how much of it; 0 at the end.
  using Read = std::function<std::size_t(std::uint64_t offset, std::span<std::byte> out)>;

  bool wanted() const;
  // All throw SystemError but write(), which says it on stderr.
  void write(const Kept& kept, const FileReport& report, const Moment& moment);
  void add_files(nlohmann::json& document, EvidenceParts& parts, const Kept& kept, const FileReport& report);
  Copy copy(const std::string& name, const Read& read);
  Copy copy_file(int fd, const std::string& name);
  Copy copy_expected(const ContentView& view);
  std::uint64_t room() const;

  const RunSpec& spec_;
  std::optional<Copy> taken_;
  std::uint64_t files_ = 0;
  bool finding_kept_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace writecanary::probe
