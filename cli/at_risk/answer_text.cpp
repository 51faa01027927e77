#include <fmt/format.h>

#include <set>

#include "cli/at_risk/answer.h"
#include "cli/terminal/table.h"
#include "cli/terminal/text.h"
#include "core/base/system_text.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

std::string place_of(const Mount& mount) {
  return fmt::format("{} on {}", system_name(mount.type), system_name(mount.mount_point));
}

void print_item(const Environment& environment, const std::string& text) {
  const auto width = static_cast<std::size_t>(environment.out_columns());
  std::string indent = "- ";
  for (const std::string& line : wrap(printable(text), width > 4 ? width - 2 : 0)) {
    environment.out << indent << line << '\n';
    indent = "  ";
  }
}

std::string issue_names(const std::vector<IssueMatch>& issues) {
  std::string names;
  for (const IssueMatch& match : issues) names += (names.empty() ? "" : ", ") + match.issue->id;
  return names.empty() ? "none known" : names;
}

void print_kernel(const Environment& environment, const AtRiskAnswer& answer) {
  const std::string where = answer.filesystem ? place_of(*answer.filesystem) : "any local filesystem";
  environment.out << styled(printable(fmt::format("Linux {}, {}", answer.kernel.release, where)), Style::kBold,
                            environment.colour)
                  << "\n\n";
  if (answer.issues.empty()) {
    print_item(environment, fmt::format("No known issue of appends through io_uring fits {}.",
                                        answer.filesystem ? "this kernel and filesystem" : "this kernel"));
  }
  for (const IssueMatch& match : answer.issues) print_item(environment, match.text + " " + match.issue->advice);
  print_item(environment, describe(answer.daemon, answer.kernel.release));
  environment.out << '\n';
}

void print_files(const Environment& environment, const AtRiskAnswer& answer) {
  if (answer.risk.files.empty()) {
    environment.out << fmt::format("None of {} processes holds an io_uring and a file there opened with O_APPEND.\n",
                                   format_count(answer.processes));
    return;
  }
  Table table({{"PID", true}, {"PROCESS"}, {"UNIT"}, {"FILESYSTEM"}, {"KNOWN ISSUES"}, {"FILE"}});
  std::set<int> processes;
  for (const FileAtRisk& entry : answer.risk.files) {
    processes.insert(entry.process.pid);
    table.add({std::to_string(entry.process.pid),
               entry.process.name,
               entry.process.owner.text(),
               place_of(*entry.file.mount),
               {issue_names(entry.issues), entry.issues.empty() ? Style::kPlain : Style::kWarn},
               entry.file.path});
  }
  environment.out << table.render(environment.out_columns(), environment.colour)
                  << fmt::format(
                         "\n{} of {} processes hold an io_uring and append there. Whether they append through it "
                         "{}.\n",
                         format_count(processes.size()), format_count(answer.processes),
                         answer.watched ? "is below" : "is counted by --watch 10s");
}

void print_watched(const Environment& environment, const Watched& watched) {
  if (!watched.why_not.empty()) {
    environment.out << printable("\nPunted requests could not be counted: " + watched.why_not) << '\n';
    return;
  }
  environment.out << fmt::format("\nWrites handed to io-wq within {}:\n", format_duration(watched.duration));
  Table table(
      {{"PID", true}, {"PROCESS"}, {"UNIT"}, {"OPCODE"}, {"GAVE UP INLINE", true}, {"FORCED", true}, {"APPEND FILE"}});
  for (const Punted& entry : watched.punted) {
    table.add({std::to_string(entry.process.pid),
               entry.process.name,
               entry.process.owner.text(),
               entry.opcode,
               {format_count(entry.punted), entry.file && entry.punted > 0 ? Style::kWarn : Style::kPlain},
               format_count(entry.forced),
               entry.file ? entry.file->path : "-"});
  }
  environment.out << (table.empty() ? "none\n" : table.render(environment.out_columns(), environment.colour));
  if (watched.lost_events > 0) {
    environment.out << fmt::format("{} events were lost: there were more.\n", format_count(watched.lost_events));
  }
}

void print_unknown(const Environment& environment, const AtRiskAnswer& answer) {
  environment.out << "\nWhat cannot be told:\n";
  for (const ClosedFile& file : answer.risk.closed) {
    print_item(environment, fmt::format("{} {} ({}) has {} registered with a ring, and open no more.", file.process.pid,
                                        file.process.name, file.process.owner.text(), file.path));
  }
  for (const Process& process : answer.risk.without_ring) {
    print_item(environment, fmt::format("{} {} ({}) has threads of io_uring, but no descriptor of a ring.", process.pid,
                                        process.name, process.owner.text()));
  }
  if (!answer.unreadable.empty()) {
    const Unreadable& first = answer.unreadable.front();
    print_item(environment, fmt::format("{} of {} processes could not be read, such as {} {}: {}. Ask as root.",
                                        format_count(answer.unreadable.size()), format_count(answer.processes),
                                        first.process.pid, first.process.name, first.why));
  }
  std::string never;
  for (const std::string& sentence : never_known()) never += (never.empty() ? "" : "; ") + sentence;
  print_item(environment, "For any process: " + never + ".");
  const Risk& risk = answer.risk;
  if (risk.elsewhere + risk.direct + risk.own > 0) {
    environment.out << fmt::format(
        "\nLeft out: {} append files on other filesystems, {} with O_DIRECT, {} of the canary's own runs.\n",
        format_count(risk.elsewhere), format_count(risk.direct), format_count(risk.own));
  }
}

}  // namespace

void print_answer(const Environment& environment, const AtRiskAnswer& answer) {
  print_kernel(environment, answer);
  print_files(environment, answer);
  if (answer.watched) print_watched(environment, *answer.watched);
  print_unknown(environment, answer);
}

}  // namespace writecanary::cli
