#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "daemon/config/config_keys.h"
#include "daemon/config/config_toml.h"

namespace writecanary::daemon {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// As many keys as there are rows, in their order.
template <typename Owner>
void add(Pairs& pairs, std::span<const Key<Owner>> keys, Owner& owner) {
  for (const auto& key : keys) pairs.emplace_back(key.name, written(key.in(owner)));
}

template <typename Owner>
Pairs pairs_of(std::span<const Key<Owner>> keys, Owner& owner) {
  Pairs pairs;
  add(pairs, keys, owner);
  return pairs;
}

struct Section {
  std::string header;  // as TOML writes it
  std::string key;     // as people and differences() name it
  Pairs pairs;
};

// A copy, because the rows of the table point at what may be changed.
std::vector<Section> sections(Config config) {
  auto defaults = pairs_of(settings_keys(), config.defaults);
  add(defaults, host_keys(), config);
  std::vector<Section> all = {{"[server]", "server", pairs_of(server_keys(), config)},
                              {"[storage]", "storage", pairs_of(storage_keys(), config)},
                              {"[defaults]", "defaults", std::move(defaults)}};
  if (!config.webhook.url.empty()) all.push_back({"[webhook]", "webhook", pairs_of(webhook_keys(), config)});
  for (auto& token : config.tokens) all.push_back({"[[token]]", "token." + token.name, pairs_of(token_keys(), token)});
  for (auto& target : config.targets) {
    const auto key = "target." + target.name;
    auto pairs = pairs_of(target_keys(), target);
    add(pairs, settings_keys(), target.settings);
    all.push_back({"[[target]]", key, std::move(pairs)});
    for (const auto& [profile, options] : target.options) {
      Section section{
          fmt::format("[target.options.{}]", toml_quoted(profile)), fmt::format("{}.options.{}", key, profile), {}};
      for (const auto& [name, value] : options) section.pairs.emplace_back(toml_quoted(name), fmt::format("{}", value));
      all.push_back(std::move(section));
    }
  }
  return all;
}

}  // namespace

std::string dump_config(const Config& config) {
  std::string out;
  for (const auto& section : sections(config)) {
    out += (out.empty() ? "" : "\n") + section.header + "\n";
    for (const auto& [key, value] : section.pairs) out += fmt::format("{} = {}\n", key, value);
  }
  return out;
}

std::map<std::string, std::string> flatten(const Config& config) {
  std::map<std::string, std::string> flat;
  for (const auto& section : sections(config)) {
    for (const auto& [key, value] : section.pairs) flat[section.key + "." + key] = value;
  }
  return flat;
}

std::vector<std::string> differences(const Config& before, const Config& after) {
  std::vector<std::string> lines;
  // What belongs to a target that comes or goes is one line.
  const auto compare_names = [&lines](const Config& from, const Config& in, const char* what) {
    std::set<std::string> prefixes;
    for (const auto& target : from.targets) {
      if (std::ranges::find(in.targets, target.name, &TargetConfig::name) != in.targets.end()) continue;
      lines.push_back(fmt::format("target.{}: {} ({})", target.name, what, target.path));
      prefixes.insert("target." + target.name + ".");
    }
    return prefixes;
  };
  auto skipped = compare_names(before, after, "removed");
  skipped.merge(compare_names(after, before, "added"));
  const auto is_skipped = [&skipped](const std::string& key) {
    return std::ranges::any_of(skipped, [&key](const std::string& prefix) { return key.starts_with(prefix); });
  };
  const auto old_values = flatten(before);
  const auto new_values = flatten(after);
  // What is logged of the webhook's address, and what differs in it, are two things.
  const auto shown = [](const std::string& key, const std::string& value, const Config& config) {
    return key == "webhook.url" ? toml_quoted(shown_address(config.webhook.url)) : value;
  };
  for (const auto& [key, value] : old_values) {
    const auto now = new_values.find(key);
    const auto new_value = now == new_values.end() ? "(unset)" : now->second;
    if (is_skipped(key) || new_value == value) continue;
    lines.push_back(fmt::format("{}: {} -> {}", key, shown(key, value, before),
                                now == new_values.end() ? new_value : shown(key, new_value, after)));
  }
  for (const auto& [key, value] : new_values) {
    if (!is_skipped(key) && !old_values.contains(key)) {
      lines.push_back(fmt::format("{}: (unset) -> {}", key, shown(key, value, after)));
    }
  }
  return lines;
}

}  // namespace writecanary::daemon
