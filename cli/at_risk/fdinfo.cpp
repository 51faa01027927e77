#include "cli/at_risk/fdinfo.h"

#include <fcntl.h>

#include <charconv>
#include <system_error>

#include "core/host/mountinfo.h"

namespace writecanary::cli {
namespace {

template <typename Number>
std::optional<Number> number(std::string_view digits, int base) {
  Number value{};
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// What stands behind `label` and a tab, if the line begins so.
std::optional<std::string_view> field(std::string_view line, std::string_view label) {
  if (!line.starts_with(label) || line.substr(label.size(), 1) != "\t") return std::nullopt;
  return line.substr(label.size() + 1);
}

// `    3: /var/log/x`
std::optional<std::string_view> listed_name(std::string_view line) {
  const std::size_t digit = line.find_first_not_of(' ');
  const std::size_t colon = line.find(": ");
  if (digit == std::string_view::npos || colon == std::string_view::npos || colon <= digit) return std::nullopt;
  if (!number<std::uint64_t>(line.substr(digit, colon - digit), 10)) return std::nullopt;
  return line.substr(colon + 2);
}

// socket:[4711], anon_inode:[eventfd], pipe:[4711]
bool is_no_file(std::string_view name) {
  return name.empty() || name == "<none>" ||
         (name.front() != '/' && name.find(":[") != std::string_view::npos && name.ends_with(']'));
}

}  // namespace

bool FdInfo::appends() const { return (flags & O_APPEND) != 0 && (flags & O_ACCMODE) != O_RDONLY; }

bool FdInfo::is_direct() const { return (flags & O_DIRECT) != 0; }

std::optional<FdInfo> parse_fdinfo(std::string_view text) {
  std::optional<int> flags;
  std::optional<std::uint64_t> mount;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (const auto octal = field(line, "flags:"); octal && !flags) flags = number<int>(*octal, 8);
    if (const auto id = field(line, "mnt_id:"); id && !mount) mount = number<std::uint64_t>(*id, 10);
  }
  if (!flags || !mount) return std::nullopt;
  return FdInfo{*flags, *mount};
}

std::vector<std::string> registered_files(std::string_view ring_fdinfo) {
  std::vector<std::string> names;
  bool within = false;
  while (!ring_fdinfo.empty()) {
    const std::string_view line = take_line(ring_fdinfo);
    if (field(line, "UserFiles:")) {
      within = true;
    } else if (const auto name = listed_name(line); within && name) {
      if (!is_no_file(*name)) names.push_back(unescape_octal(*name));
    } else {
      within = false;
    }
  }
  return names;
}

}  // namespace writecanary::cli
