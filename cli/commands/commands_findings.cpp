#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/fields.h"

namespace writecanary::cli {

int acknowledge(const Environment& environment, const Client& client, std::int64_t finding, const std::string& note,
                bool json) {
  const std::string body = client.post(fmt::format("/api/v1/findings/{}/ack", finding), {{"note", note}});
  if (json) {
    environment.out << body << '\n';
    return 0;
  }
  const nlohmann::json document = parse_answer(body);
  environment.out << printable(fmt::format("Finding {} ({} on {}) is acknowledged: {}", finding,
                                           text_field(document, "kind"), text_field(document, "target"),
                                           text_field(document, "note")))
                  << '\n';
  return 0;
}

int report(const Environment& environment, const Client& client, std::int64_t finding, bool json) {
  const std::string path = fmt::format("/api/v1/findings/{}", finding);
  const std::string body = client.get(json ? path : path + "/report");
  environment.out << body << (body.ends_with('\n') ? "" : "\n");
  return 0;
}

int reproducer(const Environment& environment, const Client& client, std::int64_t finding) {
  environment.out << client.get(fmt::format("/api/v1/findings/{}/reproducer", finding));
  return 0;
}

}  // namespace writecanary::cli
