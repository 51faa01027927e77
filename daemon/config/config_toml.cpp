#include "daemon/config/config_toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <variant>

#include "daemon/config/config_keys.h"
#include "daemon/config/toml_table.h"

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
      read_keys(table, server_keys(), config);
      table.refuse_others();
    }
    if (const auto* storage = top.table("storage")) {
      auto table = open(*storage, "storage.");
      read_keys(table, storage_keys(), config);
      table.refuse_others();
    }
    if (const auto* webhook = top.table("webhook")) {
      auto table = open(*webhook, "webhook.");
      read_keys(table, webhook_keys(), config);
      table.refuse_others();
    }
    if (const auto* defaults = top.table("defaults")) {
      auto table = open(*defaults, "defaults.");
      read_keys(table, settings_keys(), config.defaults);
      read_keys(table, host_keys(), config);
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

  template <typename Owner>
  static void read_keys(TomlTable& table, std::span<const Key<Owner>> keys, Owner& owner) {
    for (const auto& key : keys) {
      std::visit([&](auto form) { table.read(key.name, form); }, key.in(owner));
    }
  }

  void read_token(const toml::table& source) {
    auto table = open(source, fmt::format("token[{}].", parsed_.config.tokens.size()));
    TokenConfig token;
    read_keys(table, token_keys(), token);
    table.refuse_others();
    parsed_.config.tokens.push_back(std::move(token));
  }

  void read_target(const toml::table& source) {
    const auto prefix = fmt::format("target[{}].", parsed_.config.targets.size());
    TargetConfig target;
    target.settings = parsed_.config.defaults;
    auto table = open(source, prefix);
    read_keys(table, target_keys(), target);
    read_keys(table, settings_keys(), target.settings);
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
