#include <fmt/format.h>

#include "cli/client/follow.h"
#include "cli/commands/commands.h"
#include "cli/commands/fields.h"
#include "cli/terminal/progress_bar.h"
#include "cli/terminal/run_view.h"
#include "core/base/json_text.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

std::string run_path(std::uint64_t run) { return fmt::format("/api/v1/runs/{}", run); }

nlohmann::json request_body(const RunRequest& request) {
  nlohmann::json body = {{"target", request.target}, {"profile", request.profile}};
  if (request.duration_ms) body["duration_seconds"] = static_cast<double>(*request.duration_ms) / 1000;
  if (request.writes) body["writes"] = *request.writes;
  if (request.seed) body["seed"] = *request.seed;
  if (request.memory_bytes) body["memory_bytes"] = *request.memory_bytes;
  if (!request.options.empty()) body["options"] = request.options;
  if (request.classic) body["classic"] = true;
  if (request.queue) body["queue"] = true;
  return body;
}

std::string label_of(const nlohmann::json& run) {
  return printable(text_field(run, "target") + "/" + text_field(run, "profile"));
}

// Blocks until the run has ended.
void wait_for(const Environment& environment, const Client& client, std::uint64_t run, bool draw) {
  ProgressBar progress(environment);
  const auto on_event = [&](const SseEvent& event) {
    if (event.type == "run.progress" && draw) {
      const nlohmann::json data = parse_answer(event.data);
      progress.update(label_of(data), parse_progress(data));
    }
    return event.type != "run.finished";
  };
  follow_events(client, run_path(run) + "/events", {}, on_event,
                [&](const std::string& why) { progress.note(why + "; trying again"); });
}

// What one event says, in a line.
std::string event_text(const std::string& type, const nlohmann::json& data) {
  const std::string run = text_field(data, "run_id");
  if (type == "run.progress") {
    return fmt::format("run {} {}: {} writes, {} exposures, findings: {}", run, label_of(data),
                       format_count(count_field(data, "writes")), format_count(count_field(data, "exposures")),
                       counts_field(data, "finding_counts"));
  }
  if (type == "run.finished") {
    return fmt::format("run {} {}: {}: {}", run.empty() ? text_field(data, "id") : run, label_of(data),
                       text_field(data, "verdict"), text_field(data, "reason"));
  }
  if (type.starts_with("incident.")) {
    const std::string why = text_field(data, "why");
    return fmt::format("incident {} {}: {} in {}, kernel {}, {}{}", text_field(data, "incident_id"),
                       type.substr(type.find('.') + 1), text_field(data, "kind"), label_of(data),
                       text_field(data, "kernel_release"), plural(count_field(data, "findings"), "finding"),
                       why.empty() ? "" : ": " + why);
  }
  std::string text = type;
  for (const char* key : {"run_id", "target", "profile", "finding_id", "note"}) {
    if (const std::string value = text_field(data, key); !value.empty()) text += fmt::format(" {}={}", key, value);
  }
  return text;
}

}  // namespace

int start_run(const Environment& environment, const Client& client, const RunRequest& request) {
  std::string body = client.post("/api/v1/runs", request_body(request));
  const nlohmann::json started = parse_answer(body);
  const std::uint64_t run = count_field(started, "id");
  if (!request.wait && !request.follow) {
    if (request.json) {
      environment.out << body << '\n';
    } else {
      environment.out << fmt::format("Run {} of {} is {}. Follow it with: writecanary watch {}\n", run,
                                     label_of(started), text_field(started, "state"), run);
    }
    return 0;
  }
  wait_for(environment, client, run, request.follow);
  body = client.get(run_path(run));
  const RunResult result = parse_run_document(parse_answer(body));
  if (request.json) {
    environment.out << body << '\n';
  } else {
    print_runs(environment, {result});
  }
  return exit_code_of({result}, request.fail_on);
}

int stop_run(const Environment& environment, const Client& client, std::int64_t run, bool json) {
  const std::string body = client.post(fmt::format("/api/v1/runs/{}/stop", run), nlohmann::json::object());
  environment.out << (json ? body : fmt::format("Run {} was told to stop.", run)) << '\n';
  return 0;
}

int watch(const Environment& environment, const Client& client, std::optional<std::int64_t> run, bool json) {
  ProgressBar progress(environment);
  const auto on_event = [&](const SseEvent& event) {
    const nlohmann::json data = parse_answer(event.data);
    if (json) {
      environment.out << json_text({{"event", event.type}, {"data", data}}) << std::endl;
    } else if (event.type == "run.progress" && environment.err_is_terminal) {
      progress.update(label_of(data), parse_progress(data));
    } else {
      progress.clear();
      const std::string at = format_timestamp(to_unix_ms(environment.clock.now()));
      environment.out << at << "  " << printable(event_text(event.type, data)) << std::endl;
    }
    return !run || event.type != "run.finished";
  };
  const std::string path = run ? run_path(static_cast<std::uint64_t>(*run)) + "/events" : "/api/v1/events";
  follow_events(client, path, {}, on_event, [&](const std::string& why) { progress.note(why + "; trying again"); });
  return 0;
}

}  // namespace writecanary::cli
