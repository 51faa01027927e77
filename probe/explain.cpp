#include "probe/explain.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/json_fields.h"
#include "core/base/json_text.h"
#include "core/base/limits.h"
#include "core/run/evidence_document.h"
#include "core/run/protocol.h"
#include "probe/evidence/evidence_file.h"
#include "probe/evidence/evidence_parts.h"
#include "probe/evidence/sha256.h"
#include "probe/run/content_check.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {
namespace {

struct KeptFile {
  std::uint64_t size_bytes = 0;
  std::uint64_t kept_bytes = 0;
  std::string sha256;
};

// `which` is "file" or "expected".
KeptFile kept_file(const nlohmann::json& evidence, const char* which, const std::string& path) {
  const nlohmann::json file = evidence.value(which, nlohmann::json());
  if (!file.is_object()) {
    throw ProtocolError(path + ": this evidence has no file: its finding was made by comparing what a call returned");
  }
  KeptFile kept;
  JsonFields fields(file, which);
  fields.require("size_bytes", kept.size_bytes);
  fields.require("kept_bytes", kept.kept_bytes);
  fields.require("sha256", kept.sha256);
  if (kept.kept_bytes < kept.size_bytes) {
    throw ProtocolError(
        fmt::format("{}: only {} of {} bytes were kept, which cannot be judged. Raise "
                    "--max-evidence, or max_evidence in the daemon's configuration",
                    path, kept.kept_bytes, kept.size_bytes));
  }
  return kept;
}

std::string sha256_of_file(int fd, const std::string& path) {
  Sha256 hash;
  std::vector<std::byte> buffer(256UL * 1024);
  for (std::uint64_t offset = 0;;) {
    const std::size_t got = read_at(fd, path, offset, buffer);
    if (got == 0) return hash.hex();
    hash.update(std::span(buffer).first(got));
    offset += got;
  }
}

// Kind, offset and length are what a finding claims; everything else follows from them.
std::vector<std::array<std::string, 3>> claims(const nlohmann::json& findings) {
  std::vector<std::array<std::string, 3>> list;
  for (const nlohmann::json& finding : findings.is_array() ? findings : nlohmann::json::array()) {
    list.push_back({finding.value("kind", ""), json_text(finding.value("offset_bytes", nlohmann::json())),
                    json_text(finding.value("length_bytes", nlohmann::json()))});
  }
  return list;
}

nlohmann::json changed_parts(const nlohmann::json& evidence) {
  nlohmann::json changed = nlohmann::json::array();
  const nlohmann::json hashes = evidence.value("sha256", nlohmann::json::object());
  for (const auto& [name, part] : evidence.at("parts").items()) {
    if (hashes.value(name, "") != sha256_hex(canonical_text(part))) changed.push_back(name);
  }
  return changed;
}

// As the run compared them: piece by piece, in the name of the run that wrote the file.
FileReport compare_with(const Fd& expected, std::uint64_t expected_bytes, const Fd& file,
                        const nlohmann::json& evidence) {
  std::uint32_t run_tag = 0;
  JsonFields fields(evidence.at("expected"), "expected");
  fields.require("run_tag", run_tag);
  // Evidence of earlier versions has it in the run's specification alone, which was that of all files.
  bool incompressible = evidence.at("parts").at("run").at("spec").value("incompressible", true);
  fields.accept("incompressible", incompressible);
  if (run_tag == 0 || run_tag > kRunTagMax) fields.fail("run_tag", fmt::format("1 to {}", kRunTagMax), run_tag);
  const auto read = [&](std::uint64_t offset, std::span<std::byte> out) {
    if (read_at(expected.get(), "the right content", offset, out) != out.size()) {
      throw SystemError("read the right content: it is cut off", EIO);
    }
  };
  const ContentView view{.fd = file.get(),
                         .name = evidence.at("file").value("name", ""),
                         .size_bytes = expected_bytes,
                         .expected = read,
                         .run_tag = static_cast<std::uint16_t>(run_tag),
                         .incompressible = incompressible};
  return compare_content(view, kFindingsPerRun);
}

}  // namespace

nlohmann::json explain(const std::string& path) {
  const nlohmann::json evidence = read_evidence(path);
  const std::string file_path =
      path.ends_with(kEvidenceSuffix) ? path.substr(0, path.size() - (sizeof kEvidenceSuffix - 1)) : path;
  const KeptFile kept = kept_file(evidence, "file", path);
  const nlohmann::json& parts = evidence.at("parts");
  const Fd file = open_file(file_path, O_RDONLY);
  nlohmann::json changed = changed_parts(evidence);
  if (sha256_of_file(file.get(), file_path) != kept.sha256) changed.push_back("file");
  FileReport report;
  if (evidence.contains("expected")) {
    const KeptFile right = kept_file(evidence, "expected", path);
    const Fd expected = open_file(file_path + kExpectedSuffix, O_RDONLY);
    if (sha256_of_file(expected.get(), file_path + kExpectedSuffix) != right.sha256) changed.push_back("expected");
    report = compare_with(expected, right.size_bytes, file, evidence);
  } else if (parts.contains("log")) {
    report = Verifier().verify(file.get(), parse_log_part(parts.at("log")), kFindingsPerRun);
  } else {
    throw ProtocolError(path + ": this evidence has neither a log of the writes nor the right content");
  }

  const nlohmann::json findings = report.findings;
  const nlohmann::json reported = parts.value("findings", nlohmann::json::array());
  // Of a run with very many findings only the first were reported in full.
  auto judged = claims(findings);
  const auto told = claims(reported);
  if (judged.size() > told.size()) judged.resize(told.size());
  return {{"file", file_path},
          {"evidence", path.ends_with(kEvidenceSuffix) ? path : path + kEvidenceSuffix},
          {"bytes_verified", report.bytes_verified},
          {"size_bytes", report.size_bytes},
          {"finding_counts", finding_counts(report.tally)},
          {"findings", findings},
          {"reported", told.size()},
          {"same_as_reported", judged == told},
          {"tampered", std::move(changed)}};
}

}  // namespace writecanary::probe
