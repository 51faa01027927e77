#include "cli/at_risk/owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/system_text.h"

namespace writecanary::cli {
namespace {

constexpr std::size_t kContainerIdLetters = 64;
constexpr std::size_t kShownLetters = 12;  // as `docker ps` shows them
constexpr std::size_t kPodUidLetters = 36;

struct Prefix {
  std::string_view text, runtime;
};
// What runtimes put before the id, in names that end in ".scope" and in plain ones.
constexpr Prefix kPrefixes[] = {{"docker-", "docker"},
                                {"libpod-", "podman"},
                                {"cri-containerd-", "containerd"},
                                {"nerdctl-", "containerd"},
                                {"crio-", "cri-o"}};

bool is_id(std::string_view text) {
  return text.size() == kContainerIdLetters &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string_view without(std::string_view text, std::string_view end) {
  if (text.ends_with(end)) text.remove_suffix(end.size());
  return text;
}

std::optional<std::pair<std::string_view, std::string_view>> container_in(std::string_view name,
                                                                          std::string_view parent) {
  const std::string_view bare = without(name, ".scope");
  for (const auto& [prefix, runtime] : kPrefixes) {
    if (bare.starts_with(prefix) && is_id(bare.substr(prefix.size()))) {
      return std::pair(bare.substr(prefix.size()), runtime);
    }
  }
  if (is_id(bare)) return std::pair(bare, parent == "docker" ? parent : std::string_view());
  for (const auto& [prefix, runtime] : {Prefix{"lxc.payload.", "lxc"}, Prefix{"machine-", "machine"}}) {
    if (bare.starts_with(prefix) && (runtime == "lxc" || bare.size() < name.size())) {
      return std::pair(bare.substr(prefix.size()), runtime);
    }
  }
  if (parent == "lxc" && !bare.empty()) return std::pair(bare, parent);
  return std::nullopt;
}

// kubepods-burstable-pod0a1b_....slice of the systemd driver, pod0a1b-... of the other.
std::string pod_in(std::string_view name) {
  const std::string_view bare = without(name, ".slice");
  const std::size_t at = bare.rfind("pod");
  if (at == std::string_view::npos || (at > 0 && bare[at - 1] != '-')) return {};
  std::string uid(bare.substr(at + 3));
  std::ranges::replace(uid, '_', '-');
  const bool is_uid = uid.size() == kPodUidLetters &&
                      std::ranges::all_of(uid, [](unsigned char c) { return std::isxdigit(c) != 0 || c == '-'; });
  return is_uid ? uid : std::string();
}

bool is_unit(std::string_view name) {
  return name.size() > std::string_view(".scope").size() && (name.ends_with(".service") || name.ends_with(".scope"));
}

Owner owner_in(std::string_view path) {
  Owner owner{.cgroup = system_name(path)};
  std::string_view parent;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (std::string pod = pod_in(name); !pod.empty()) owner.pod = std::move(pod);
    // systemd writes a "_" before names that would mean something else to the kernel.
    if (is_unit(name)) owner.unit = system_name(name.starts_with('_') ? name.substr(1) : name);
    if (const auto found = container_in(name, parent)) {
      owner.container = system_name(found->first);
      owner.runtime = found->second;
    }
    parent = name;
  }
  return owner;
}

// `hierarchy:controllers:path`
std::optional<std::string_view> path_of(std::string_view line) {
  const std::size_t first = line.find(':');
  const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return line.substr(second + 1);
}

}  // namespace

std::string Owner::text() const {
  if (!container.empty()) {
    return fmt::format("{} {}", runtime.empty() ? "container" : runtime,
                       is_id(container) ? container.substr(0, kShownLetters) : container);
  }
  return unit.empty() ? "-" : unit;
}

Owner owner_of(std::string_view cgroups) {
  std::vector<Owner> candidates;
  while (!cgroups.empty()) {
    const std::size_t end = cgroups.find('\n');
    const auto path = path_of(cgroups.substr(0, end));
    cgroups.remove_prefix(end == std::string_view::npos ? cgroups.size() : end + 1);
    if (path && *path != "/") candidates.push_back(owner_in(*path));
  }
  const auto telling = std::ranges::find_if(
      candidates, [](const Owner& owner) { return !owner.container.empty() || !owner.unit.empty(); });
  if (telling != candidates.end()) return *telling;
  return candidates.empty() ? Owner{} : candidates.front();
}

}  // namespace writecanary::cli
