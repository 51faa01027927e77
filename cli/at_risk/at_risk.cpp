#include "cli/at_risk/at_risk.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "cli/at_risk/answer.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/json_text.h"
#include "core/base/system_text.h"
#include "core/host/host_facts.h"

namespace writecanary::cli {
namespace {

// The descriptor is only of the name: neither the file nor its directory is opened.
Mount filesystem_of(const std::string& path) {
  try {
    const Fd fd = open_file(path, O_PATH);
    if (auto mount = find_mount(read_mountinfo(), fd.get())) return *std::move(mount);
  } catch (const SystemError& error) {
    throw UsageError(error.what());
  }
  throw UsageError(path + ": its mount is not in /proc/self/mountinfo. Give a path of another filesystem");
}

}  // namespace

int at_risk(const Environment& environment, const AtRiskOptions& options, const std::string& url,
            const Credentials& credentials) {
  AtRiskAnswer answer{.kernel = kernel_facts(), .path = system_name(options.path)};
  if (!options.path.empty()) answer.filesystem = filesystem_of(options.path);
  const KernelIdentity kernel = identify_kernel(answer.kernel);
  answer.issues = append_issues(kernel, answer.filesystem ? answer.filesystem->type : "");
  answer.daemon = ask_daemon(url, credentials, answer.kernel.release);
  if (options.watch.count() > 0) answer.watched = watch_punted(options.watch);
  Scan scan = scan_processes();
  answer.processes = scan.processes;
  answer.risk = assess(scan, kernel, answer.filesystem);
  answer.unreadable = std::move(scan.unreadable);
  if (options.json) {
    environment.out << json_text(to_document(answer), 2) << '\n';
  } else {
    print_answer(environment, answer);
  }
  return answer.unreadable.empty() ? 0 : kExitNotAllSeen;
}

}  // namespace writecanary::cli
