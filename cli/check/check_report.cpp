#include "cli/check/check_report.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/json_text.h"
#include "core/base/system_text.h"
#include "core/report/replay.h"
#include "core/report/report.h"
#include "core/run/evidence_document.h"

namespace writecanary::cli {
namespace {

void write_file(const std::string& path, const std::string& text) {
  write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600).get(), text);
}

}  // namespace

std::string first_report(const RunSpec& spec, const RunResult& run, const Catalogue& catalogue) {
  const Finding& first = run.findings.front();
  const auto evidence = find_evidence(spec.evidence_directory, first.file);
  return report_text({.finding = first,
                      .run = run,
                      .replay = replay_command(spec, run.end.counters.writes),
                      .profile = find_profile(catalogue, run.profile),
                      .evidence = evidence ? &*evidence : nullptr,
                      .origin = fmt::format("{}; this is the first of {} findings", spec.run_id, run.end.tally.total()),
                      .evidence_location = system_name(spec.evidence_directory)});
}

void keep_report(const Environment& environment, const RunSpec& spec, const RunResult& run,
                 const Catalogue& catalogue) {
  if (spec.evidence_directory.empty() || run.findings.empty()) return;
  try {
    std::filesystem::create_directories(spec.evidence_directory);
    write_file(spec.evidence_directory + "/run.json", json_text(run_document(run), 2) + "\n");
    write_file(spec.evidence_directory + "/report.txt", first_report(spec, run, catalogue));
  } catch (const std::exception& error) {
    environment.err << "The report of " << run.profile << " is not kept: " << error.what() << '\n';
  }
}

}  // namespace writecanary::cli
