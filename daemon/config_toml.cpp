#include "daemon/config_toml.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/toml_table.h"

namespace writecanary::daemon {
namespace {

class ConfigReader {
 public:
  explicit ConfigReader(ParsedConfig& parsed) : parsed_(parsed) {}

  void read(const toml::table& root) {
    auto& config = parsed_.config;
    auto top = open(root, "");
    if (const auto* server = top.table("server")) {
      auto table = open(*server, "server.");
      table.text("listen", config.listen);
      table.text("tls_cert", config.tls.certificate);
      table.text("tls_key", config.tls.key);
      table.text("client_ca", config.tls.client_ca);
      table.refuse_others();
    }
    if (const auto* storage = top.table("storage")) {
      auto table = open(*storage, "storage.");
      table.text("path", config.storage_path);
      table.size("max_size", config.storage_bytes_max);
      table.duration("keep_runs", config.keep_runs);
      table.count("max_runs", config.runs_max);
      table.refuse_others();
    }
    if (const auto* webhook = top.table("webhook")) {
      auto table = open(*webhook, "webhook.");
      table.text("url", config.webhook.url);
      table.text("secret_file", config.webhook.secret_file);
      table.refuse_others();
    }
    if (const auto* defaults = top.table("defaults")) {
      auto table = open(*defaults, "defaults.");
      settings(table, config.defaults);
      table.integer("max_concurrent_runs", config.concurrent_runs_max);
      table.refuse_others();
    }
    for (const auto* target : top.tables("target")) read_target(*target);
    for (const auto* token : top.tables("token")) read_token(*token);
    top.refuse_others();
  }

 private:
  TomlTable open(const toml::table& table, const std::string& prefix) {
    if (!prefix.empty()) {
      parsed_.config.where[prefix.substr(0, prefix.size() - 1)] = position_of(table.source());
    }
    return {table, prefix, parsed_.config.where, parsed_.issues};
  }

  static void settings(TomlTable& table, RunSettings& out) {
    table.texts("profiles", out.profiles);
    table.duration("every", out.every);
    table.percent("jitter", out.jitter_percent);
    table.duration("duration", out.duration);
    table.count("writes", out.writes);
    table.size("memory", out.memory_bytes);
    table.size("max_evidence", out.evidence_bytes_max);
    table.size("max_bytes_per_day", out.bytes_per_day_max);
    table.min_free("min_free", out.min_free);
    table.text("window", out.window);
    table.number("max_memory_pressure", out.memory_pressure_max);
  }

  void read_token(const toml::table& source) {
    auto table = open(source, fmt::format("token[{}].", parsed_.config.tokens.size()));
    TokenConfig token;
    table.text("name", token.name);
    table.text("role", token.role);
    table.text("sha256", token.sha256);
    table.refuse_others();
    parsed_.config.tokens.push_back(std::move(token));
  }

  void read_target(const toml::table& source) {
    const auto prefix = fmt::format("target[{}].", parsed_.config.targets.size());
    TargetConfig target;
    target.settings = parsed_.config.defaults;
    auto table = open(source, prefix);
    table.text("name", target.name);
    table.text("path", target.path);
    table.boolean("require_mount", target.require_mount);
    table.text("fstype", target.fstype);
    settings(table, target.settings);
    if (const auto* options = table.table("options")) {
      for (const auto& [profile, node] : *options) {
        const auto* values = node.as_table();
        if (values == nullptr) {
          parsed_.issues.push_back({position_of(node.source()), fmt::format("options.{}: expected a table, written "
                                                                            "[target.options.{}]",
                                                                            profile.str(), profile.str())});
          continue;
        }
        open(*values, fmt::format("{}options.{}.", prefix, profile.str()))
            .integers(target.options[std::string{profile.str()}]);
      }
    }
    table.refuse_others();
    parsed_.config.targets.push_back(std::move(target));
  }

  ParsedConfig& parsed_;
};

}  // namespace

ParsedConfig parse_config(std::string_view text) {
  ParsedConfig parsed;
  try {
    const auto root = toml::parse(text);
    ConfigReader(parsed).read(root);
  } catch (const toml::parse_error& error) {
    parsed.issues.push_back({position_of(error.source()), std::string{error.description()}});
    return parsed;
  }
  // A value that could not be read was replaced by its default; judging that would only repeat the complaint.
  if (parsed.issues.empty()) parsed.issues = check_values(parsed.config);
  std::ranges::stable_sort(parsed.issues, [](const ConfigIssue& a, const ConfigIssue& b) {
    return std::pair{a.position.line, a.position.column} < std::pair{b.position.line, b.position.column};
  });
  return parsed;
}

}  // namespace writecanary::daemon
