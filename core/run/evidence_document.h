// The document that the probe writes beside a damaged file, for those who show it. What is in it is docs/evidence.md;
// making it is probe/evidence/evidence_collector.h.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace writecanary {

inline constexpr char kEvidenceSuffix[] = ".evidence.json";
// What such a file should hold, where every byte of that is known.
inline constexpr char kExpectedSuffix[] = ".expected";

// What a file of the run's directory is called where it is kept: in one directory, without a '/'.
std::string kept_name(std::string file);

// <directory>/<kept name>.evidence.json. Nothing when it is not there or cannot be used: reports do without.
std::optional<nlohmann::json> find_evidence(const std::string& directory, const std::string& file);

// The document of a kept file or of itself (`path` may name either). Throws SystemError when it cannot be read and
// ProtocolError when it is no evidence.
nlohmann::json read_evidence(const std::string& path);

}  // namespace writecanary
