// Everything that is known about a finding as one archive: the documents, the report, and the damaged files that the
// probe kept.
#pragma once

#include <string>

#include "api/documents/tar.h"

namespace writecanary::api {

struct EvidenceTexts {
  std::string finding_json;
  std::string run_json;
  std::string report;
};

// Files come from `directory`, which need not exist, and go under `name`/evidence. What does not fit the bounds
// (api/refusal/limits.h) is left out and listed in OMITTED.txt. Throws SystemError.
TarArchive evidence_archive(const std::string& name, const EvidenceTexts& texts, const std::string& directory,
                            std::int64_t time_seconds);

}  // namespace writecanary::api
