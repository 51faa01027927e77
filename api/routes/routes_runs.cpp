#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/documents/documents.h"
#include "api/refusal/problem.h"
#include "api/routes/listing.h"
#include "api/routes/query.h"
#include "api/routes/routes.h"
#include "api/routes/run_waiter.h"
#include "api/routes/start_request.h"
#include "core/base/limits.h"
#include "core/run/seed.h"
#include "storage/tables/documents.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

Refusal unknown_run(const std::string& id) {
  return not_found("unknown-run", "There is no run \"" + id + "\". Run ids are numbers; old runs are removed in time.");
}

std::optional<storage::RunRow> find_run(const Call& call, const Services& services) {
  const auto id = parse_id(call.arguments[0]);
  return id ? services.reader.run(*id) : std::nullopt;
}

// Null where there is none. What an earlier version stored has its seed as a number.
json spec_document(const std::string& spec_json) {
  json spec = json::parse(spec_json, nullptr, false);
  if (!spec.is_object()) return {};
  if (const auto seed = parse_seed(spec.value("seed", json()))) spec["seed"] = seed_text(*seed);
  return spec;
}

// Everything about one run: also its spec and its findings, in the order in which they were found.
json full_run_document(const storage::RunRow& row, const Services& services) {
  json document = run_document(row, *services.live.get(), services.clock);
  document["spec"] = spec_document(row.spec_json);
  storage::FindingFilter filter;
  filter.run_id = row.id;
  filter.limit = kFindingsPerRun;
  auto findings = services.reader.findings(filter);
  std::reverse(findings.begin(), findings.end());
  auto& items = document["findings"] = json::array();
  for (const auto& finding : findings) items.push_back(storage::finding_json(finding));
  return document;
}

Outcome answer_runs(Call& call, const Services& services) {
  Query query(call.request);
  storage::RunFilter filter;
  filter.target = query.text("target");
  filter.profile = query.text("profile");
  filter.kernel = query.text("kernel");
  filter.verdict = query.one_of("verdict", parse_verdict, kAllVerdicts);
  filter.state =
      query.one_of("state", parse_run_state, std::array{RunState::kQueued, RunState::kRunning, RunState::kFinished});
  filter.since_ms = query.timestamp_ms("since");
  filter.until_ms = query.timestamp_ms("until");
  filter.before_id = query.cursor("runs");
  filter.limit = query.limit();
  if (auto refusal = query.refusal()) return refusal;
  const auto live = services.live.get();
  respond_json(call, listing_document(
                         "runs", filter, [&](const storage::RunFilter& f) { return services.reader.runs(f); },
                         [&](const storage::RunRow& row) { return run_document(row, *live, services.clock); }));
  return std::nullopt;
}

Outcome answer_run(Call& call, const Services& services) {
  const auto row = find_run(call, services);
  if (!row) return unknown_run(call.arguments[0]);
  respond_json(call, full_run_document(*row, services));
  return std::nullopt;
}

Refusal removed_run(std::int64_t id) {
  const std::string detail =
      "Run " + std::to_string(id) + ", which an earlier request with this key started, was removed to save space.";
  return {409, "run-removed", "The run is removed already", detail, {}};
}

// The answer to a command about a run: the run as it is now; 202 while it goes on.
Outcome answer_accepted(Call& call, const Services& services, const Accepted& accepted, int status = 202) {
  const auto row = services.reader.run(accepted.id);
  if (!row) return removed_run(accepted.id);
  call.response.set_header("Location", call.path_prefix + "/api/v1/runs/" + std::to_string(accepted.id));
  if (accepted.replayed) call.response.set_header("Idempotency-Replayed", "true");
  respond_json(call, full_run_document(*row, services), status);
  return std::nullopt;
}

// The same for several: the runs in their order, and the verdict of all of them once it is known.
Outcome answer_list(Call& call, const Services& services, const Accepted& accepted, int status) {
  json items = json::array();
  std::optional<Verdict> verdict = Verdict::kClean;
  std::vector<std::int64_t> ids = {accepted.id};
  ids.insert(ids.end(), accepted.more.begin(), accepted.more.end());
  for (const std::int64_t id : ids) {
    const auto row = services.reader.run(id);
    if (!row) return removed_run(id);
    verdict = verdict && row->verdict ? std::optional(worse(*verdict, *row->verdict)) : std::nullopt;
    items.push_back(full_run_document(*row, services));
  }
  if (accepted.replayed) call.response.set_header("Idempotency-Replayed", "true");
  respond_json(call, {{"verdict", verdict ? json(to_string(*verdict)) : json()}, {"items", std::move(items)}}, status);
  return std::nullopt;
}

Outcome start_run(Call& call, const RunWaiter& waiter) {
  const Services& services = waiter.services();
  const auto live = services.live.get();
  auto parsed = parse_start_request(call.request, *live, services.catalogue);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  auto& wanted = std::get<StartRequest>(parsed);
  const auto result = ask(call, services.commands, std::move(wanted.run));
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  const auto& accepted = std::get<Accepted>(result);
  const int status = waiter.wait(call, accepted) ? 200 : 202;
  return wanted.is_list ? answer_list(call, services, accepted, status)
                        : answer_accepted(call, services, accepted, status);
}

Outcome stop_run(Call& call, const Services& services) {
  const auto row = find_run(call, services);
  if (!row) return unknown_run(call.arguments[0]);
  if (auto refusal = Body(call.request.body).refusal()) return refusal;
  const auto result = ask(call, services.commands, StopRun{row->id});
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  return answer_accepted(call, services, std::get<Accepted>(result));
}

}  // namespace

std::vector<Endpoint> run_routes(const RouteContext& context) {
  const Services services = context.services;
  const RunWaiter waiter(context);
  return {
      {"GET",
       "/api/v1/runs",
       {.summary = "Runs, newest first",
        .response = "RunPage",
        .query = {"target", "profile", "verdict", "state", "kernel", "since", "until", "limit", "cursor"}},
       [services](Call& call) { return answer_runs(call, services); }},
      {"POST",
       "/api/v1/runs",
       {.summary = "Start a run on a configured target, or one for each of several profiles",
        .response = "StartAnswer",
        .status = 202,
        .body = "StartRequest",
        .refusals = {400, 409, 422, 503}},
       [waiter](Call& call) { return start_run(call, waiter); }},
      {"GET",
       "/api/v1/runs/{id}",
       {.summary = "One run with its spec and findings", .response = "Run", .refusals = {404}},
       [services](Call& call) { return answer_run(call, services); }},
      {"POST",
       "/api/v1/runs/{id}/stop",
       {.summary = "Stop a run, or take it from the queue",
        .response = "Run",
        .status = 202,
        .body = "EmptyRequest",
        .refusals = {404, 409, 503}},
       [services](Call& call) { return stop_run(call, services); }},
  };
}

}  // namespace writecanary::api
