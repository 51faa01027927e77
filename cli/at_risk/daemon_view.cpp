#include "cli/at_risk/daemon_view.h"

#include <fmt/format.h>

#include "cli/commands/fields.h"
#include "cli/terminal/text.h"
#include "core/base/limits.h"

namespace writecanary::cli {
DaemonView ask_daemon(const std::string& url, const Credentials& credentials, const std::string& release) {
  DaemonView view{.url = url};
  const Client client(url, credentials);
  try {
    const nlohmann::json status = client.get_json("/api/v1/status");
    view.kernel = text_field(inner(status, "kernel"), "release");
    const nlohmann::json page = client.get_json(
        fmt::format("/api/v1/incidents?state=open,known&release={}&limit={}", encode_uri(release), kPageLimitMax));
    if (!page.contains("items") || !page["items"].is_array()) {
      view.why = "its answer is no list of incidents";
      return view;
    }
    for (const nlohmann::json& incident : page["items"]) ++view.incidents[text_field(incident, "kind")];
    view.has_more = !text_field(page, "next_cursor").empty();
    view.reached = true;
  } catch (const CommandError& error) {
    view.why = error.what();
  }
  return view;
}

std::string describe(const DaemonView& view, const std::string& release) {
  if (!view.reached) return "No daemon was asked: " + view.why;
  std::string kinds;
  for (const auto& [kind, count] : view.incidents) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", kind, format_count(count));
  }
  std::string text = fmt::format("The daemon at {} has ", view.url);
  text += kinds.empty()
              ? fmt::format("no open or known incident of {}.", release)
              : fmt::format("open or known incidents of {}: {}{}.", release, kinds, view.has_more ? " or more" : "");
  if (!view.kernel.empty() && view.kernel != release) text += fmt::format(" It runs on {}.", view.kernel);
  return text;
}

}  // namespace writecanary::cli
