#include <nlohmann/json.hpp>

#include "api/documents/evidence.h"
#include "api/documents/picture.h"
#include "api/refusal/limits.h"
#include "api/refusal/problem.h"
#include "api/routes/body.h"
#include "api/routes/listing.h"
#include "api/routes/query.h"
#include "api/routes/routes.h"
#include "core/base/json_text.h"
#include "core/report/replay.h"
#include "core/report/report.h"
#include "core/report/reproducer/reproducer.h"
#include "core/run/evidence_document.h"
#include "core/run/run_spec.h"
#include "core/text/units.h"
#include "storage/tables/documents.h"

namespace writecanary::api {
namespace {

constexpr char kTextType[] = "text/plain; charset=utf-8";
constexpr char kSourceType[] = "text/x-c; charset=utf-8";
constexpr char kArchiveType[] = "application/x-tar";
constexpr std::size_t kArchiveChunkBytes = 65'536;

Refusal unknown_finding(const std::string& id) {
  return not_found("unknown-finding", "There is no finding \"" + id + "\". Finding ids are numbers.");
}

std::optional<storage::FindingRow> find_finding(const Call& call, const Services& services) {
  const auto id = parse_id(call.arguments[0]);
  return id ? services.reader.finding(*id) : std::nullopt;
}

Outcome answer_findings(Call& call, const Services& services) {
  Query query(call.request);
  storage::FindingFilter filter;
  filter.target = query.text("target");
  filter.profile = query.text("profile");
  filter.kernel = query.text("kernel");
  filter.kind = query.one_of("kind", parse_finding_kind, kAllFindingKinds);
  filter.acknowledged = query.flag("acknowledged");
  filter.run_id = query.id("run_id");
  filter.since_ms = query.timestamp_ms("since");
  filter.until_ms = query.timestamp_ms("until");
  filter.before_id = query.cursor("findings");
  filter.limit = query.limit();
  if (auto refusal = query.refusal()) return refusal;
  respond_json(call,
               listing_document(
                   "findings", filter, [&](const storage::FindingFilter& f) { return services.reader.findings(f); },
                   [](const storage::FindingRow& row) { return storage::finding_json(row); }));
  return std::nullopt;
}

Outcome answer_finding(Call& call, const Services& services) {
  const auto row = find_finding(call, services);
  if (!row) return unknown_finding(call.arguments[0]);
  respond_json(call, storage::finding_json(*row));
  return std::nullopt;
}

Outcome acknowledge(Call& call, const Services& services) {
  const auto row = find_finding(call, services);
  if (!row) return unknown_finding(call.arguments[0]);
  Body body(call.request.body);
  AckFinding command{row->id, body.required_text("note", kNoteBytesMax)};
  if (auto refusal = body.refusal()) return refusal;
  const auto result = ask(call, services.commands, std::move(command));
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  return answer_finding(call, services);
}

// What was to be run; as far as the run tells, when its spec cannot be read.
RunSpec spec_of(const storage::RunRow& run) {
  const auto spec_json = nlohmann::json::parse(run.spec_json, nullptr, false);
  RunSpec spec;
  spec.path = run.result.filesystem.mount_point;
  if (spec_json.is_object() && spec_json.contains("path")) spec = spec_json.get<RunSpec>();
  spec.profile = run.result.profile;
  spec.seed = run.result.seed;
  return spec;
}

std::string origin_of(const storage::FindingRow& finding, const storage::RunRow& run) {
  std::string text = "finding " + std::to_string(finding.id) + " of run " + std::to_string(run.id) + " on target " +
                     run.target + ", found at " + format_timestamp(finding.found_at_ms);
  if (finding.acknowledged_at_ms) {
    text += ", acknowledged at " + format_timestamp(*finding.acknowledged_at_ms) + " by " + finding.acknowledged_by +
            ": " + finding.note;
  }
  return text;
}

std::string report_for(const storage::FindingRow& finding, const storage::RunRow& run, const Services& services,
                       const std::string& evidence_root) {
  const auto evidence = find_evidence(evidence_root + "/" + std::to_string(run.id), finding.finding.file);
  return report_text(
      {.finding = finding.finding,
       .run = run.result,
       .replay = replay_command(spec_of(run), run.result.end.counters.writes),
       .profile = find_profile(services.catalogue, finding.profile),
       .evidence = evidence ? &*evidence : nullptr,
       .origin = origin_of(finding, run),
       .evidence_location = "GET /api/v1/findings/" + std::to_string(finding.id) + "/evidence (a tar archive)"});
}

Outcome answer_report(Call& call, const Services& services, const std::string& evidence_root) {
  const auto finding = find_finding(call, services);
  const auto run = finding ? services.reader.run(finding->run_id) : std::nullopt;
  if (!run) return unknown_finding(call.arguments[0]);
  respond_text(call, report_for(*finding, *run, services, evidence_root), kTextType);
  return std::nullopt;
}

Outcome answer_reproducer(Call& call, const Services& services) {
  const auto finding = find_finding(call, services);
  const auto run = finding ? services.reader.run(finding->run_id) : std::nullopt;
  if (!run) return unknown_finding(call.arguments[0]);
  const RunSpec spec = spec_of(*run);
  const Reproducer made = make_reproducer({.finding = finding->finding,
                                           .spec = spec,
                                           .kernel = run->result.kernel,
                                           .filesystem = run->result.filesystem,
                                           .origin = origin_of(*finding, *run)});
  if (made.source.empty()) {
    return Refusal{422, "no-reproducer", "There is no reproducer for this finding", made.refusal + ".", {}};
  }
  respond_text(call, made.source, kSourceType);
  return std::nullopt;
}

Outcome answer_picture(Call& call, const Services& services, const std::string& evidence_root) {
  const auto finding = find_finding(call, services);
  if (!finding) return unknown_finding(call.arguments[0]);
  const auto evidence = find_evidence(evidence_root + "/" + std::to_string(finding->run_id), finding->finding.file);
  respond_json(call, picture_document(finding->finding, evidence ? &*evidence : nullptr));
  return std::nullopt;
}

Outcome answer_evidence(Call& call, const Services& services, const std::string& evidence_root, StreamSlots& streams) {
  const auto finding = find_finding(call, services);
  const auto run = finding ? services.reader.run(finding->run_id) : std::nullopt;
  if (!run) return unknown_finding(call.arguments[0]);
  auto slot = streams.take();
  if (!slot) return too_many_streams();
  const std::string name = "writecanary-finding-" + std::to_string(finding->id);
  auto run_document = storage::run_json(*run);
  const auto spec = nlohmann::json::parse(run->spec_json, nullptr, false);
  run_document["spec"] = spec.is_discarded() ? nlohmann::json() : spec;
  const EvidenceTexts texts{json_text(storage::finding_json(*finding), 2) + "\n", json_text(run_document, 2) + "\n",
                            report_for(*finding, *run, services, evidence_root)};
  auto archive = std::make_shared<TarArchive>(
      evidence_archive(name, texts, evidence_root + "/" + std::to_string(run->id), finding->found_at_ms / 1000));
  call.response.set_header("Content-Disposition", "attachment; filename=\"" + name + ".tar\"");
  call.response.set_source(
      [archive, slot](BodyWriter& writer) {
        try {
          return writer.write(archive->read(kArchiveChunkBytes)) ? BodyStep::kMore : BodyStep::kFailed;
        } catch (const std::exception&) {
          return BodyStep::kFailed;  // too late for a problem document: the connection ends before the announced length
        }
      },
      archive->size_bytes(), kArchiveType);
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> finding_routes(const RouteContext& context) {
  const Services services = context.services;
  const std::string evidence_root = context.evidence_root;
  return {
      {"GET",
       "/api/v1/findings",
       {.summary = "Findings, newest first",
        .response = "FindingPage",
        .query = {"target", "profile", "kernel", "kind", "acknowledged", "run_id", "since", "until", "limit",
                  "cursor"}},
       [services](Call& call) { return answer_findings(call, services); }},
      {"GET",
       "/api/v1/findings/{id}",
       {.summary = "One finding", .response = "Finding", .refusals = {404}},
       [services](Call& call) { return answer_finding(call, services); }},
      {"POST",
       "/api/v1/findings/{id}/ack",
       {.summary = "Say that a finding is known",
        .response = "Finding",
        .body = "AckRequest",
        .refusals = {404, 422, 503}},
       [services](Call& call) { return acknowledge(call, services); }},
      {"GET",
       "/api/v1/findings/{id}/report",
       {.summary = "The finding as text for a mailing list",
        .media_type = kTextType,
        .refusals = {404},
        .for_operators = true},
       [services, evidence_root](Call& call) { return answer_report(call, services, evidence_root); }},
      {"GET",
       "/api/v1/findings/{id}/reproducer",
       {.summary = "One C file that shows the finding by itself", .media_type = kSourceType, .refusals = {404, 422}},
       [services](Call& call) { return answer_reproducer(call, services); }},
      {"GET",
       "/api/v1/findings/{id}/picture",
       {.summary = "What stands where around a finding", .response = "Picture", .refusals = {404}},
       [services, evidence_root](Call& call) { return answer_picture(call, services, evidence_root); }},
      {"GET",
       "/api/v1/findings/{id}/evidence",
       {.summary = "All evidence as a tar archive",
        .media_type = kArchiveType,
        .refusals = {404, 503},
        .for_operators = true},
       [services, evidence_root, streams = context.streams](Call& call) {
         return answer_evidence(call, services, evidence_root, *streams);
       }},
  };
}

}  // namespace writecanary::api
