#include <nlohmann/json.hpp>

#include "cli/at_risk/answer.h"
#include "core/base/system_text.h"

namespace writecanary::cli {
namespace {

using nlohmann::json;

json or_null(const std::string& text) { return text.empty() ? json() : json(text); }

json process_document(const Process& process) {
  return {{"pid", process.pid},
          {"comm", process.name},
          {"unit", or_null(process.owner.unit)},
          {"container", or_null(process.owner.container)},
          {"runtime", or_null(process.owner.runtime)},
          {"pod", or_null(process.owner.pod)},
          {"cgroup", or_null(process.owner.cgroup)}};
}

json filesystem_document(const std::optional<Mount>& mount) {
  if (!mount) return {};
  return {{"type", system_name(mount->type)},
          {"mount_point", system_name(mount->mount_point)},
          {"source", system_name(mount->source)},
          {"device", system_name(mount->device)}};
}

json issue_ids(const std::vector<IssueMatch>& issues) {
  json names = json::array();
  for (const IssueMatch& match : issues) names.push_back(match.issue->id);
  return names;
}

json files_document(const Risk& risk) {
  json files = json::array();
  for (const FileAtRisk& entry : risk.files) {
    json file = process_document(entry.process);
    file["rings"] = entry.rings;
    file["io_wq_workers"] = entry.workers;
    file["file"] = entry.file.path;
    file["fds"] = entry.file.fds;
    file["filesystem"] = filesystem_document(entry.file.mount);
    file["known_issues"] = issue_ids(entry.issues);
    files.push_back(std::move(file));
  }
  return files;
}

json unknown_document(const AtRiskAnswer& answer) {
  json closed = json::array();
  for (const ClosedFile& file : answer.risk.closed) {
    closed.push_back(process_document(file.process));
    closed.back()["file"] = file.path;
  }
  json without = json::array();
  for (const Process& process : answer.risk.without_ring) without.push_back(process_document(process));
  json unreadable = json::array();
  for (const Unreadable& entry : answer.unreadable) {
    unreadable.push_back(process_document(entry.process));
    unreadable.back()["why"] = entry.why;
  }
  return {{"registered_and_closed", std::move(closed)},
          {"ring_without_descriptor", std::move(without)},
          {"unreadable_processes", std::move(unreadable)},
          {"never_known", never_known()}};
}

json daemon_document(const DaemonView& view) {
  json document = {{"url", view.url}, {"reached", view.reached}, {"why_not", or_null(view.why)}};
  document["kernel"] = or_null(view.kernel);
  document["incidents"] = view.reached ? json(view.incidents) : json();
  document["has_more"] = view.has_more;
  return document;
}

json watch_document(const std::optional<Watched>& watched) {
  if (!watched) return {};
  json rows = json::array();
  for (const Punted& entry : watched->punted) {
    json row = process_document(entry.process);
    row["opcode"] = entry.opcode;
    row["append_file"] = entry.file ? json(entry.file->path) : json();
    row["punted"] = entry.punted;
    row["forced_async"] = entry.forced;
    rows.push_back(std::move(row));
  }
  return {{"seconds", static_cast<double>(watched->duration.count()) / 1000},
          {"available", watched->why_not.empty()},
          {"why_not", or_null(watched->why_not)},
          {"lost_events", watched->lost_events},
          {"punted", std::move(rows)}};
}

}  // namespace

const std::vector<std::string>& never_known() {
  static const std::vector<std::string> kSentences = {
      "appends by RWF_APPEND, which is a flag of each write, and writes at offset -1 behind the end",
      "files registered with a ring and closed: the kernel does not say how they were opened",
      "rings that only their mapping or their registration keeps, before they have a worker",
      "processes of other pid namespaces than this one"};
  return kSentences;
}

json to_document(const AtRiskAnswer& answer) {
  return {{"kernel", {{"release", answer.kernel.release}, {"version", answer.kernel.version}}},
          {"path", or_null(answer.path)},
          {"filesystem", filesystem_document(answer.filesystem)},
          {"known_issues", answer.issues},
          {"daemon", daemon_document(answer.daemon)},
          {"processes_seen", answer.processes},
          {"at_risk", files_document(answer.risk)},
          {"left_out",
           {{"other_filesystems", answer.risk.elsewhere},
            {"direct_io", answer.risk.direct},
            {"own_runs", answer.risk.own}}},
          {"unknown", unknown_document(answer)},
          {"watch", watch_document(answer.watched)}};
}

}  // namespace writecanary::cli
