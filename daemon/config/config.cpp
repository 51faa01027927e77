#include "daemon/config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>

#include "api/http/listener.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/text/letters.h"
#include "core/text/units.h"
#include "daemon/calendar/window.h"
#include "daemon/config/config_keys.h"

namespace writecanary::daemon {
namespace {

bool is_address(const std::string& text) {
  try {
    api::parse_listen_address(text);
    return true;
  } catch (const SystemError&) {
    return false;
  }
}

bool is_web_address(const std::string& text) {
  const auto scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  return scheme > 0 && text.size() > static_cast<std::size_t>(scheme) && text[scheme] != '/' &&
         text.find_first_of(" #@\\\"\t\r\n") == std::string::npos;
}

// Collects complaints about one table under its dotted key.
class Checker {
 public:
  Checker(const Config& config, std::vector<ConfigIssue>& issues) : config_(config), issues_(issues) {}

  void require(bool holds, const std::string& key, const std::string& text) {
    if (holds) return;
    // A target inherits what [defaults] says; one complaint about that is enough.
    const bool inherited = !config_.where.contains(key);
    if (inherited && std::ranges::find(issues_, text, &ConfigIssue::text) != issues_.end()) return;
    issues_.push_back({config_.position(key), text});
  }

  // Complains of values outside the ranges of their rows; `shown` goes before a key's name in the text.
  template <typename Owner>
  void ranges(const std::string& prefix, const std::string& shown, std::span<const Key<Owner>> keys, Owner owner) {
    for (const auto& key : keys) {
      const auto complaint = range_complaint(shown + key.name, key.in(owner), key.range);
      if (complaint) require(false, prefix + key.name, *complaint);
    }
  }

  void settings(const std::string& prefix, const RunSettings& settings) {
    require(!settings.profiles.empty(), prefix + "profiles",
            "profiles is empty. Name at least one; `writecanary profiles` lists them");
    std::set<std::string> seen;
    for (const auto& profile : settings.profiles) {
      require(seen.insert(profile).second, prefix + "profiles", fmt::format("profile \"{}\" is named twice", profile));
    }
    ranges(prefix, "", settings_keys(), settings);
    require(settings.every >= settings.duration, prefix + "every",
            fmt::format("every {} is shorter than a run ({}). Give a longer interval", format_duration(settings.every),
                        format_duration(settings.duration)));
    if (!settings.window.empty()) {
      const auto window = Window::parse(settings.window);
      if (!window.value) require(false, prefix + "window", window.error);
    }
  }

  void target(const std::string& prefix, const TargetConfig& target) {
    require(is_name(target.name), prefix + "name",
            fmt::format("target name \"{}\": use 1 to 64 letters, digits, '-', '_' and '.'", target.name));
    require(target.path.starts_with('/') && target.path.find("/../") == std::string::npos &&
                !target.path.ends_with("/..") && target.path.find('\0') == std::string::npos,
            prefix + "path",
            fmt::format("target \"{}\": path \"{}\" must be absolute and without \"..\"", target.name, target.path));
    settings(prefix, target.settings);
    for (const auto& [profile, options] : target.options) {
      require(std::ranges::find(target.settings.profiles, profile) != target.settings.profiles.end(),
              fmt::format("{}options.{}", prefix, profile),
              fmt::format("target \"{}\": options for profile \"{}\", which this target does not run. Add it to "
                          "profiles, or remove the options",
                          target.name, profile));
    }
  }

 private:
  const Config& config_;
  std::vector<ConfigIssue>& issues_;
};

// "append, offset"; "none" when there is nothing to name.
template <typename Named>
std::string names_of(const std::vector<Named>& all) {
  std::vector<std::string_view> names;
  names.reserve(all.size());
  for (const auto& one : all) names.push_back(one.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void check_options(const Config& config, const std::string& prefix, const std::string& profile,
                   const ProfileOptions& options, const ProfileInfo& info, std::vector<ConfigIssue>& issues) {
  for (const auto& [name, value] : options) {
    const auto key = fmt::format("{}options.{}.{}", prefix, profile, name);
    const auto option = std::ranges::find(info.options, name, &ProfileOption::name);
    if (option == info.options.end()) {
      issues.push_back({config.position(key), fmt::format("profile \"{}\" has no option \"{}\". It has: {}", profile,
                                                          name, names_of(info.options))});
    } else if (value < option->minimum || value > option->maximum) {
      issues.push_back({config.position(key), fmt::format("{}.{} = {} is out of range: {} to {}", profile, name, value,
                                                          option->minimum, option->maximum)});
    }
  }
}

}  // namespace

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && text != "." && text != ".." && is_of_letters(text, "-_.");
}

std::string shown_address(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return "...";
  const auto begin = scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", begin), url.size());
  const auto user = url.rfind('@', end);
  const auto host = user != std::string::npos && user >= begin ? user + 1 : begin;
  const bool has_more = end + 1 < url.size() || host > begin;
  return url.substr(0, begin) + url.substr(host, end - host) + (has_more ? "/..." : url.substr(end));
}

std::string Config::state_directory() const {
  const auto slash = storage_path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : storage_path.substr(0, slash);
}

Position Config::position(const std::string& key) const {
  const auto found = where.find(key);
  if (found != where.end()) return found->second;
  // What a target inherits was said in [defaults]; a missing key is reported where its table begins.
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? Position{} : position(key.substr(0, dot));
}

std::vector<ConfigIssue> check_values(const Config& config) {
  std::vector<ConfigIssue> issues;
  Checker checker(config, issues);
  checker.require(is_address(config.listen), "server.listen",
                  fmt::format("server.listen \"{}\": expected HOST:PORT, [IPv6]:PORT or unix:/path", config.listen));
  checker.require(config.storage_path.starts_with('/') && !config.storage_path.ends_with('/'), "storage.path",
                  fmt::format("storage.path \"{}\" must be the absolute path of a file", config.storage_path));
  checker.ranges("storage.", "storage.", storage_keys(), config);
  checker.ranges("defaults.", "", host_keys(), config);
  checker.require(config.targets.size() <= kTargetsMax, "target",
                  fmt::format("{} targets, but one daemon watches at most {}", config.targets.size(), kTargetsMax));
  const WebhookConfig& webhook = config.webhook;
  checker.require(
      webhook.url.empty() || is_web_address(webhook.url), "webhook.url",
      fmt::format("webhook.url \"{}\": expected http://HOST[:PORT]/PATH or https://...", shown_address(webhook.url)));
  checker.require(webhook.url.empty() == webhook.secret_file.empty(), "webhook",
                  "[webhook] needs both url and secret_file: events are always signed");
  checker.require(webhook.secret_file.empty() || webhook.secret_file.starts_with('/'), "webhook.secret_file",
                  fmt::format("webhook.secret_file \"{}\" must be an absolute path", webhook.secret_file));
  check_access(config, issues);
  checker.settings("defaults.", config.defaults);
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.targets.size(); ++i) {
    const auto prefix = fmt::format("target[{}].", i);
    checker.target(prefix, config.targets[i]);
    checker.require(names.insert(config.targets[i].name).second, prefix + "name",
                    fmt::format("target name \"{}\" is used twice. Give each target its own", config.targets[i].name));
  }
  return issues;
}

std::vector<ConfigIssue> check_profiles(const Config& config, const Catalogue& catalogue) {
  std::vector<ConfigIssue> issues;
  const auto check_names = [&](const std::string& key, const std::vector<std::string>& profiles) {
    for (const auto& name : profiles) {
      if (find_profile(catalogue, name) == nullptr) {
        issues.push_back(
            {config.position(key), fmt::format("unknown profile \"{}\". Known: {}", name, names_of(catalogue))});
      }
    }
  };
  check_names("defaults.profiles", config.defaults.profiles);
  for (std::size_t i = 0; i < config.targets.size(); ++i) {
    const auto prefix = fmt::format("target[{}].", i);
    const auto& target = config.targets[i];
    // Inherited ones were checked above.
    if (target.settings.profiles != config.defaults.profiles) {
      check_names(prefix + "profiles", target.settings.profiles);
    }
    for (const auto& [profile, options] : target.options) {
      const auto* info = find_profile(catalogue, profile);
      if (info != nullptr) check_options(config, prefix, profile, options, *info, issues);
    }
  }
  return issues;
}

}  // namespace writecanary::daemon
