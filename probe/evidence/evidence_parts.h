// The parts of a piece of evidence, each by its name: JSON, its SHA-256, or why there is none.
//
// No single part is worth failing for: a file of /proc that cannot be read, an ioctl that the filesystem does not
// know. What a part says is up to whoever makes it (probe/evidence_*.h).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace writecanary::probe {

// What the hash of a part is of: its JSON with sorted keys and no blanks, as `jq -cSj .parts.NAME` prints it.
std::string canonical_text(const nlohmann::json& part);

class EvidenceParts {
 public:
  // Keeps what `make` returns; when it throws, the reason.
  void add(const std::string& name, const std::function<nlohmann::json()>& make);
  void missing(const std::string& name, const std::string& reason);

  // {"parts": {name: ...}, "missing": [{"part", "reason"}], "sha256": {name: hex of the canonical text}}.
  nlohmann::json document() const;

 private:
  nlohmann::json parts_ = nlohmann::json::object();
  nlohmann::json missing_ = nlohmann::json::array();
};

}  // namespace writecanary::probe
