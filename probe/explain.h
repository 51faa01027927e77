// Judges a kept file again, from what the evidence says was written to it: the same scanner, classifier and verifier
// as in the run, so that a finding can be checked by whoever has the two files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace writecanary::probe {

// `path` names the kept file or its evidence. Gives {"file", "evidence", "bytes_verified", "finding_counts",
// "findings", "reported", "same_as_reported", "tampered"}: "tampered" lists the parts, and the file, whose SHA-256 is
// not the recorded one. Throws SystemError and ProtocolError, also for a file that was not kept whole.
nlohmann::json explain(const std::string& path);

}  // namespace writecanary::probe
