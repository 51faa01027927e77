#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "daemon/config_toml.h"

namespace writecanary::daemon {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string quoted(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  all.reserve(texts.size());
  for (const auto& text : texts) all.push_back(quoted(text));
  return fmt::format("[{}]", fmt::join(all, ", "));
}

// The largest unit that says it exactly, so that it reads back as the same value.
template <std::size_t N>
std::string exact(std::uint64_t value, const std::array<std::pair<std::uint64_t, const char*>, N>& units) {
  for (const auto& [factor, unit] : units) {
    if (value != 0 && value % factor == 0) return fmt::format("\"{}{}\"", value / factor, unit);
  }
  return fmt::format("\"{}{}\"", value, units.back().second);
}

std::string size(std::uint64_t bytes) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits = {
      {{1ULL << 30, "GiB"}, {1ULL << 20, "MiB"}, {1ULL << 10, "KiB"}, {1, ""}}};
  return exact(bytes, kUnits);
}

std::string duration(std::chrono::milliseconds value) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 5> kUnits = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}}};
  return exact(static_cast<std::uint64_t>(value.count()), kUnits);
}

// A TOML float needs a point.
std::string number(double value) {
  auto text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

Pairs settings_pairs(const RunSettings& settings) {
  return {{"profiles", quoted(settings.profiles)},
          {"every", duration(settings.every)},
          {"jitter", fmt::format("\"{}%\"", settings.jitter_percent)},
          {"duration", duration(settings.duration)},
          {"writes", fmt::format("{}", settings.writes)},
          {"memory", size(settings.memory_bytes)},
          {"max_evidence", size(settings.evidence_bytes_max)},
          {"max_bytes_per_day", size(settings.bytes_per_day_max)},
          {"min_free", settings.min_free.percent > 0 || settings.min_free.bytes == 0
                           ? fmt::format("\"{}%\"", settings.min_free.percent)
                           : size(settings.min_free.bytes)},
          {"window", quoted(settings.window)},
          {"max_memory_pressure", number(settings.memory_pressure_max)}};
}

Pairs target_pairs(const TargetConfig& target) {
  Pairs pairs = {{"name", quoted(target.name)},
                 {"path", quoted(target.path)},
                 {"require_mount", target.require_mount ? "true" : "false"},
                 {"fstype", quoted(target.fstype)}};
  std::ranges::move(settings_pairs(target.settings), std::back_inserter(pairs));
  return pairs;
}

struct Section {
  std::string header;  // as TOML writes it
  std::string key;     // as people and differences() name it
  Pairs pairs;
};

std::vector<Section> sections(const Config& config) {
  auto defaults = settings_pairs(config.defaults);
  defaults.emplace_back("max_concurrent_runs", fmt::format("{}", config.concurrent_runs_max));
  std::vector<Section> all = {{"[server]",
                               "server",
                               {{"listen", quoted(config.listen)},
                                {"tls_cert", quoted(config.tls.certificate)},
                                {"tls_key", quoted(config.tls.key)},
                                {"client_ca", quoted(config.tls.client_ca)}}},
                              {"[storage]",
                               "storage",
                               {{"path", quoted(config.storage_path)},
                                {"max_size", size(config.storage_bytes_max)},
                                {"keep_runs", duration(config.keep_runs)},
                                {"max_runs", fmt::format("{}", config.runs_max)}}},
                              {"[defaults]", "defaults", std::move(defaults)}};
  if (!config.webhook.url.empty()) {
    all.push_back({"[webhook]",
                   "webhook",
                   {{"url", quoted(config.webhook.url)}, {"secret_file", quoted(config.webhook.secret_file)}}});
  }
  for (const auto& token : config.tokens) {
    all.push_back({"[[token]]",
                   "token." + token.name,
                   {{"name", quoted(token.name)}, {"role", quoted(token.role)}, {"sha256", quoted(token.sha256)}}});
  }
  for (const auto& target : config.targets) {
    const auto key = "target." + target.name;
    all.push_back({"[[target]]", key, target_pairs(target)});
    for (const auto& [profile, options] : target.options) {
      Section section{
          fmt::format("[target.options.{}]", quoted(profile)), fmt::format("{}.options.{}", key, profile), {}};
      for (const auto& [name, value] : options) section.pairs.emplace_back(quoted(name), fmt::format("{}", value));
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
  for (const auto& [key, value] : old_values) {
    const auto now = new_values.find(key);
    const auto new_value = now == new_values.end() ? "(unset)" : now->second;
    if (!is_skipped(key) && new_value != value) lines.push_back(fmt::format("{}: {} -> {}", key, value, new_value));
  }
  for (const auto& [key, value] : new_values) {
    if (!is_skipped(key) && !old_values.contains(key)) lines.push_back(fmt::format("{}: (unset) -> {}", key, value));
  }
  return lines;
}

}  // namespace writecanary::daemon
