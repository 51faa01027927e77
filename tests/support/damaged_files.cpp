#include "tests/support/damaged_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace writecanary::damagefs {
namespace {

constexpr std::size_t kHeadBytes = 1 << 20;

}  // namespace

DamagedFiles::DamagedFiles(const std::string& log_path)
    : log_(open_file(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644)) {}

void DamagedFiles::set_rule(std::string_view text) {
  rule_ = parse_rule(text);
  rule_text_ = text;
  writes_ = 0;
  damaged_ = 0;
}

std::string DamagedFiles::status() const {
  return fmt::format("{} writes={} damaged={}", rule_text_, writes_, damaged_);
}

ssize_t DamagedFiles::write(int fd, const std::string& name, std::string_view bytes, std::uint64_t offset_bytes,
                            bool append) {
  struct stat file {};
  if (fstat(fd, &file) != 0) return -errno;
  const std::uint64_t at = append ? static_cast<std::uint64_t>(file.st_size) : offset_bytes;
  std::int64_t& shift = shift_[file.st_ino];
  const std::uint64_t stream_offset = append ? at - static_cast<std::uint64_t>(shift) : at;
  std::optional<Damage> done;
  if (!rule_.on_read && rule_.watches(name)) {
    remember_head(name, bytes, stream_offset);
    done = damage(rule_, {bytes, at, stream_offset, append}, earlier_head_);
  }
  const bool hit = done && rule_.hits(++writes_);
  const std::string_view kept = hit ? std::string_view(done->bytes) : bytes;
  if (hit) {
    log(*done, name);
    ++damaged_;
    shift += static_cast<std::int64_t>(kept.size()) - static_cast<std::int64_t>(bytes.size());
  }
  const ssize_t written = pwrite(fd, kept.data(), kept.size(), static_cast<off_t>(at));
  if (written < 0) return -errno;
  return hit ? static_cast<ssize_t>(bytes.size()) : written;
}

void DamagedFiles::damage_read(const std::string& name, std::span<char> bytes, std::uint64_t offset_bytes) {
  if (!rule_.on_read || !rule_.watches(name)) return;
  const auto done = damage(rule_, {{bytes.data(), bytes.size()}, offset_bytes, offset_bytes, false}, earlier_head_);
  if (!done || !rule_.hits(++writes_)) return;
  log(*done, name);
  ++damaged_;
  std::ranges::copy(done->bytes, bytes.begin());
}

void DamagedFiles::remember_head(const std::string& name, std::string_view bytes, std::uint64_t stream_offset_bytes) {
  if (name != head_name_ && stream_offset_bytes == 0) {
    earlier_head_ = std::exchange(head_, {});
    head_name_ = name;
  }
  if (name == head_name_ && stream_offset_bytes == head_.size() && head_.size() < kHeadBytes) {
    head_ += bytes.substr(0, kHeadBytes - head_.size());
  }
}

void DamagedFiles::log(const Damage& done, const std::string& name) {
  const nlohmann::json line = {{"kind", to_string(rule_.kind)},
                               {"file", name},
                               {"write", writes_},
                               {"offset", done.offset_bytes},
                               {"length", done.length_bytes},
                               {"source_offset", done.source_offset_bytes}};
  write_all(log_.get(), line.dump() + "\n");
}

}  // namespace writecanary::damagefs
