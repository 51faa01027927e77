#include "core/host/mountinfo.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary {
namespace {

// Fields are separated by exactly one blank: a mount source may be empty.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

bool is_octal(std::string_view digits) {
  return digits.size() == 3 && digits[0] <= '3' &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '7'; });
}

// Options of the mount, then those of the superblock that it does not name. Either can make the mount read-only, so
// "ro" of one overrides "rw" of the other.
std::string merge_options(std::string_view of_mount, std::string_view of_superblock) {
  std::vector<std::string_view> merged = split(of_mount, ',');
  for (const std::string_view option : split(of_superblock, ',')) {
    const bool known = std::ranges::find(merged, option) != merged.end();
    const bool overridden = option == "rw" && std::ranges::find(merged, "ro") != merged.end();
    if (option == "ro") std::erase(merged, "rw");
    if (!option.empty() && !known && !overridden) merged.push_back(option);
  }
  std::string text;
  for (const std::string_view option : merged) {
    if (option.empty()) continue;
    if (!text.empty()) text += ',';
    text += option;
  }
  return unescape_octal(text);
}

// `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/sda1 rw,errors=continue`, see
// Documentation/filesystems/proc.rst. The optional fields after the mount options end at a single "-".
std::optional<Mount> parse_line(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ' ');
  if (fields.size() < 10) return std::nullopt;
  const auto separator = std::find(fields.begin() + 6, fields.end(), "-");
  if (fields.end() - separator < 4) return std::nullopt;
  if (!fields[4].starts_with('/')) return std::nullopt;
  const auto id = number(fields[0]);
  const auto parent = number(fields[1]);
  if (!id || !parent) return std::nullopt;
  return Mount{.device = std::string(fields[2]),
               .mount_point = unescape_octal(fields[4]),
               .options = merge_options(fields[5], separator[3]),
               .type = unescape_octal(separator[1]),
               .source = unescape_octal(separator[2]),
               .root = unescape_octal(fields[3]),
               .id = *id,
               .parent = *parent};
}

}  // namespace

std::string unescape_octal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, text[i] == '\\' ? 3 : 0);
    if (is_octal(digits)) {
      out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

namespace {

bool is_in_table(const std::vector<Mount>& mounts, std::uint64_t id) {
  return std::ranges::find(mounts, id, &Mount::id) != mounts.end();
}

// Which mount a walk along the path goes to next, from the one that it is on, or to begin with: the first that it
// meets. Of the root mount the table does not have what it stands on.
const Mount* next_on_the_way(const std::vector<Mount>& mounts, const Mount* at, std::string_view path) {
  const Mount* next = nullptr;
  for (const Mount& mount : mounts) {
    const bool stands_here = at == nullptr ? !is_in_table(mounts, mount.parent) || mount.parent == mount.id
                                           : mount.parent == at->id && mount.id != at->id;
    if (!stands_here || !is_within(path, mount.mount_point)) continue;
    if (next == nullptr || mount.mount_point.size() < next->mount_point.size()) next = &mount;
  }
  return next;
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(text, '\n')) {
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::vector<Mount> read_mountinfo(const std::string& file) { return parse_mountinfo(read_file(file)); }

std::optional<Mount> find_mount(const std::vector<Mount>& mounts, std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const Mount* at = nullptr;
  // Each turn goes from a mount to one that stands on it, so there are no more turns than mounts.
  for (std::size_t turn = 0; turn < mounts.size(); ++turn) {
    const Mount* next = next_on_the_way(mounts, at, path);
    if (next == nullptr) break;
    at = next;
  }
  if (at == nullptr) return std::nullopt;
  return *at;
}

bool shows_a_root(const Mount& mount) {
  constexpr std::array<std::string_view, 9> kNamedByDirectory = {"btrfs", "nfs", "nfs4", "cifs",    "smb3",
                                                                 "ceph",  "9p",  "afs",  "virtiofs"};
  return mount.root == "/" || std::ranges::find(kNamedByDirectory, mount.type) != kNamedByDirectory.end();
}

std::uint64_t mount_id(int fd) {
  const std::string file = "/proc/self/fdinfo/" + std::to_string(fd);
  const std::string text = read_file(file);
  constexpr std::string_view kLabel = "mnt_id:\t";
  for (const std::string_view line : split(text, '\n')) {
    const auto id = line.starts_with(kLabel) ? number(line.substr(kLabel.size())) : std::nullopt;
    if (id) return *id;
  }
  throw SystemError(file + " has no mnt_id", EPROTO);
}

std::optional<Mount> find_mount(const std::vector<Mount>& mounts, int fd) {
  const auto found = std::ranges::find(mounts, mount_id(fd), &Mount::id);
  if (found == mounts.end()) return std::nullopt;
  return *found;
}

}  // namespace writecanary
