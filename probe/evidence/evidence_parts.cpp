#include "probe/evidence/evidence_parts.h"

#include <exception>

#include "core/base/json_text.h"
#include "probe/evidence/sha256.h"

namespace writecanary::probe {

std::string canonical_text(const nlohmann::json& part) { return json_text(part); }

void EvidenceParts::add(const std::string& name, const std::function<nlohmann::json()>& make) {
  try {
    // Through text once, so that what is kept is exactly what is hashed.
    parts_[name] = nlohmann::json::parse(canonical_text(make()));
  } catch (const std::exception& error) {
    missing(name, error.what());
  }
}

void EvidenceParts::missing(const std::string& name, const std::string& reason) {
  missing_.push_back({{"part", name}, {"reason", reason}});
}

nlohmann::json EvidenceParts::document() const {
  nlohmann::json hashes = nlohmann::json::object();
  for (const auto& [name, part] : parts_.items()) hashes[name] = sha256_hex(canonical_text(part));
  return {{"parts", parts_}, {"missing", missing_}, {"sha256", std::move(hashes)}};
}

}  // namespace writecanary::probe
