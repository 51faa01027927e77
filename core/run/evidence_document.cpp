#include "core/run/evidence_document.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary {

std::string kept_name(std::string file) {
  std::ranges::replace(file, '/', '-');
  return file;
}

nlohmann::json read_evidence(const std::string& path) {
  const std::string document_path = path.ends_with(kEvidenceSuffix) ? path : path + kEvidenceSuffix;
  nlohmann::json document = nlohmann::json::parse(read_file(document_path), nullptr, false);
  const auto parts = document.is_object() ? document.find("parts") : document.end();
  if (!document.is_object() || parts == document.end() || !parts->is_object()) {
    throw ProtocolError(document_path + ": this is no evidence of writecanary: it has no \"parts\"");
  }
  return document;
}

std::optional<nlohmann::json> find_evidence(const std::string& directory, const std::string& file) {
  if (file.empty()) return std::nullopt;
  try {
    return read_evidence(directory + "/" + kept_name(file));
  } catch (const SystemError&) {
    return std::nullopt;
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
}

}  // namespace writecanary
