#include "core/run/run_result.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/base/json_fields.h"
#include "core/base/system_text.h"
#include "core/run/seed.h"

namespace writecanary {
namespace {

// Every counter with its name in JSON, in the order in which people read them.
constexpr std::array<std::pair<const char*, std::uint64_t RunCounters::*>, 14> kCounters = {{
    {"writes", &RunCounters::writes},
    {"inline", &RunCounters::inline_writes},
    {"punted", &RunCounters::punted},
    {"partial", &RunCounters::partial},
    {"disarmed", &RunCounters::disarmed},
    {"exposures", &RunCounters::exposures},
    {"short_results", &RunCounters::short_results},
    {"cqe_enomem", &RunCounters::cqe_enomem},
    {"bytes_written", &RunCounters::bytes_written},
    {"bytes_verified", &RunCounters::bytes_verified},
    {"files", &RunCounters::files},
    {"files_cold", &RunCounters::files_cold},
    {"limit_hits", &RunCounters::limit_hits},
    {"oom_kills", &RunCounters::oom_kills},
}};
static_assert(kCounters.size() * sizeof(std::uint64_t) == sizeof(RunCounters), "a counter has no name in JSON");

// {"duplicate": 1} of one of the tally's two arrays, only kinds that occurred.
nlohmann::json by_kind(const FindingTally& tally, const std::array<std::uint64_t, kFindingKindCount>& values) {
  nlohmann::json out = nlohmann::json::object();
  for (const FindingKind kind : kAllFindingKinds) {
    if (tally.count_of(kind) != 0) out[std::string(to_string(kind))] = values[static_cast<std::size_t>(kind)];
  }
  return out;
}

}  // namespace

void FindingTally::add(FindingKind kind, std::uint64_t length_bytes) {
  ++count[static_cast<std::size_t>(kind)];
  bytes[static_cast<std::size_t>(kind)] += length_bytes;
}

std::uint64_t FindingTally::total() const { return std::accumulate(count.begin(), count.end(), std::uint64_t{0}); }

std::uint64_t FindingTally::total(FindingClass finding_class) const {
  std::uint64_t sum = 0;
  for (const FindingKind kind : kAllFindingKinds) sum += class_of(kind) == finding_class ? count_of(kind) : 0;
  return sum;
}

std::optional<Verdict> FindingTally::verdict() const {
  if (total(FindingClass::kCorruption) != 0) return Verdict::kCorrupt;
  if (total(FindingClass::kAvailability) != 0) return Verdict::kStuck;
  if (total() != 0) return Verdict::kViolation;
  return std::nullopt;
}

void to_json(nlohmann::json& out, const RunCounters& counters) {
  out = nlohmann::json::object();
  for (const auto& [name, member] : kCounters) out[name] = counters.*member;
}

void from_json(const nlohmann::json& in, RunCounters& counters) {
  JsonFields fields(in, "counters");
  for (const auto& [name, member] : kCounters) fields.require(name, counters.*member);
}

void to_json(nlohmann::json& out, const FindingTally& tally) {
  out = nlohmann::json::object();
  for (const FindingKind kind : kAllFindingKinds) {
    if (tally.count_of(kind) == 0) continue;
    out[std::string(to_string(kind))] = {{"count", tally.count_of(kind)}, {"bytes", tally.bytes_of(kind)}};
  }
}

void from_json(const nlohmann::json& in, FindingTally& tally) {
  const JsonFields kinds(in, "tally");
  tally = {};
  for (const auto& [name, value] : in.items()) {
    const auto kind = parse_finding_kind(name);
    if (!kind) kinds.fail(name, "a finding kind as the field's name", name);
    JsonFields fields(value, "tally: " + name);
    fields.require("count", tally.count[static_cast<std::size_t>(*kind)]);
    fields.require("bytes", tally.bytes[static_cast<std::size_t>(*kind)]);
  }
}

void to_json(nlohmann::json& out, const KernelFacts& facts) {
  out = {{"release", facts.release}, {"version", facts.version}, {"machine", facts.machine}};
}

void from_json(const nlohmann::json& in, KernelFacts& facts) {
  JsonFields fields(in, "kernel");
  fields.require("release", facts.release);
  fields.require("version", facts.version);
  fields.require("machine", facts.machine);
}

std::string describe(const FilesystemFacts& facts) {
  std::string which = facts.device;
  if (!facts.uuid.empty()) which += (which.empty() ? "UUID " : ", UUID ") + facts.uuid;
  return fmt::format("{} on {}{}", facts.type, facts.source, which.empty() ? "" : fmt::format(" ({})", which));
}

void to_json(nlohmann::json& out, const FilesystemFacts& facts) {
  out = {{"type", facts.type},       {"source", facts.source}, {"mount_point", facts.mount_point},
         {"options", facts.options}, {"device", facts.device}, {"uuid", facts.uuid}};
}

void from_json(const nlohmann::json& in, FilesystemFacts& facts) {
  JsonFields fields(in, "filesystem");
  fields.require("type", facts.type);
  fields.require("source", facts.source);
  fields.require("mount_point", facts.mount_point);
  fields.require("options", facts.options);
  fields.accept("device", facts.device);  // of earlier versions: not said
  fields.accept("uuid", facts.uuid);
}

void to_json(nlohmann::json& out, const PressureFacts& facts) {
  out = {{"backend", facts.backend}, {"directory", system_name(facts.directory)}, {"reason", facts.reason}};
}

void from_json(const nlohmann::json& in, PressureFacts& facts) {
  JsonFields fields(in, "pressure");
  fields.require("backend", facts.backend);
  fields.require("directory", facts.directory);
  facts.directory = system_bytes(facts.directory);
  fields.require("reason", facts.reason);
}

nlohmann::json finding_counts(const FindingTally& tally) { return by_kind(tally, tally.count); }

nlohmann::json run_document(const RunResult& result) {
  const RunEnd& end = result.end;
  nlohmann::json out = end.counters;
  out["profile"] = result.profile;
  out["verdict"] = to_string(end.verdict);
  out["reason"] = end.reason;
  out["seed"] = seed_text(result.seed);
  out["duration_seconds"] = end.duration_seconds;
  out["first_finding_seconds"] =
      end.first_finding_seconds ? nlohmann::json(*end.first_finding_seconds) : nlohmann::json();
  out["finding_counts"] = finding_counts(end.tally);
  out["finding_bytes"] = by_kind(end.tally, end.tally.bytes);
  out["attribution"] = end.attribution;
  out["kernel"] = result.kernel;
  out["filesystem"] = result.filesystem;
  out["pressure"] = result.pressure;
  out["findings"] = result.findings;
  return out;
}

}  // namespace writecanary
