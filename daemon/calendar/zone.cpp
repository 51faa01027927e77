#include "daemon/calendar/zone.h"

#include <algorithm>
#include <iterator>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::daemon {
namespace {

constexpr std::size_t kHeaderBytes = 44;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

struct Header {
  char version = 0;
  std::size_t utc_flags = 0, standard_flags = 0, leaps = 0, transitions = 0, types = 0, characters = 0;

  static std::optional<Header> read(std::string_view bytes) {
    if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif")) return std::nullopt;
    const auto count = [&](std::size_t index) { return big_endian(bytes.substr(20 + 4 * index, 4)); };
    return Header{bytes[4], count(0), count(1), count(2), count(3), count(4), count(5)};
  }
  std::size_t body_bytes(std::size_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * 6 + characters + leaps * (time_bytes + 4) + standard_flags +
           utc_flags;
  }
};

// A name such as Europe/London, never a way out of the directory.
bool is_zone_name(const std::string& name) {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && std::ranges::all_of(name, allowed);
}

}  // namespace

std::optional<Zone> Zone::load(const std::string& name, const std::string& directory) {
  if (!is_zone_name(name)) return std::nullopt;
  try {
    return parse(read_file(directory + "/" + name));
  } catch (const SystemError&) {
    return std::nullopt;
  }
}

std::optional<Zone> Zone::parse(std::string_view bytes) {
  // The first block holds 32-bit times for old readers; the second, with the same layout, 64-bit ones.
  const auto old_header = Header::read(bytes);
  if (!old_header || old_header->version < '2') return std::nullopt;
  const auto skip = kHeaderBytes + old_header->body_bytes(4);
  if (bytes.size() < skip) return std::nullopt;
  bytes.remove_prefix(skip);
  const auto header = Header::read(bytes);
  if (!header || header->types == 0 || bytes.size() < kHeaderBytes + header->body_bytes(8)) return std::nullopt;

  const auto times = bytes.substr(kHeaderBytes);
  const auto indexes = times.substr(header->transitions * 8);
  const auto types = indexes.substr(header->transitions);
  const auto offset_of = [&](std::size_t type) { return static_cast<int>(big_endian(types.substr(type * 6, 4))); };
  Zone zone;
  zone.first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < header->transitions; ++i) {
    const auto type = static_cast<unsigned char>(indexes[i]);
    if (type >= header->types) return std::nullopt;
    zone.transitions_.push_back({static_cast<std::int64_t>(big_endian(times.substr(i * 8, 8))), offset_of(type)});
  }

  auto footer = bytes.substr(kHeaderBytes + header->body_bytes(8));
  if (footer.size() >= 2 && footer.front() == '\n' && footer.back() == '\n') {
    zone.rule_ = PosixTz::parse(footer.substr(1, footer.size() - 2));
  }
  return zone;
}

int Zone::offset_at(std::int64_t unix_seconds) const {
  const auto after = std::ranges::upper_bound(transitions_, unix_seconds, {}, &Transition::at);
  if (after == transitions_.end() && rule_) return rule_->offset_at(unix_seconds);
  return after == transitions_.begin() ? first_offset_ : std::prev(after)->offset;
}

}  // namespace writecanary::daemon
