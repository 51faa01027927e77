#include "probe/evidence/evidence_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/system_text.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kKernelLines = 200;
constexpr std::size_t kKernelLineBytes = 400;
constexpr std::size_t kControlFileBytes = 8UL * 1024;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg): "level,sequence,microseconds,flags;text", then lines
// that begin with a blank.
std::string kernel_line(std::string_view record) {
  const std::size_t text_begin = record.find(';');
  if (text_begin == std::string_view::npos) return {};
  const std::string_view head = record.substr(0, text_begin);
  const std::size_t second = head.find(',', head.find(',') + 1);
  std::uint64_t us = 0;
  if (second != std::string_view::npos) std::from_chars(head.data() + second + 1, head.data() + head.size(), us);
  std::string_view text = record.substr(text_begin + 1);
  text = text.substr(0, text.find('\n')).substr(0, kKernelLineBytes);
  return fmt::format("[{:5}.{:06}] {}", us / 1'000'000, us % 1'000'000, text);
}

}  // namespace

nlohmann::json kernel_part() {
  utsname name{};
  if (uname(&name) != 0) throw_errno("uname");
  return {{"release", name.release},
          {"version", name.version},
          {"machine", name.machine},
          {"command_line", trimmed(read_file("/proc/cmdline"))}};
}

nlohmann::json taint_part() {
  // Bit 0 is G (clean) or P (proprietary module).
  constexpr std::string_view kLetters = "PFSRMBUDAWCIOELKXTN";
  const std::string text = trimmed(read_file("/proc/sys/kernel/tainted"));
  std::uint64_t flags = 0;
  std::from_chars(text.data(), text.data() + text.size(), flags);
  std::string letters;
  for (std::size_t bit = 0; bit < kLetters.size(); ++bit) {
    if ((flags >> bit & 1) != 0) letters += kLetters[bit];
  }
  return {{"flags", flags}, {"letters", letters}};
}

nlohmann::json kernel_log_part() {
  const Fd log = open_file("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  std::deque<std::string> lines;
  std::uint64_t total = 0;
  std::array<char, 8192> record;
  for (;;) {
    const ssize_t got = read(log.get(), record.data(), record.size());
    if (got < 0 && errno == EPIPE) continue;  // overwritten while we read: the next read goes on behind the gap
    if (got < 0 && errno != EAGAIN) throw_errno("read /dev/kmsg");
    if (got <= 0) break;
    lines.push_back(kernel_line({record.data(), static_cast<std::size_t>(got)}));
    ++total;
    if (lines.size() > kKernelLines) lines.pop_front();
  }
  return {{"lines", lines}, {"total", total}};
}

nlohmann::json memory_part() {
  static const std::set<std::string_view> kWanted = {
      "MemTotal",  "MemFree",   "MemAvailable", "Buffers", "Cached",       "SwapTotal",   "SwapFree",    "Dirty",
      "Writeback", "AnonPages", "Mapped",       "Shmem",   "SReclaimable", "CommitLimit", "Committed_AS"};
  nlohmann::json sizes = nlohmann::json::object();
  for (const std::string& line : lines_of(read_file("/proc/meminfo"))) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !kWanted.contains(std::string_view(line).substr(0, colon))) continue;
    const std::size_t begin = line.find_first_not_of(' ', colon + 1);
    std::uint64_t kib = 0;
    if (begin != std::string::npos) std::from_chars(line.data() + begin, line.data() + line.size(), kib);
    sizes[line.substr(0, colon)] = kib;
  }
  nlohmann::json settings = nlohmann::json::object();
  for (const char* name : {"dirty_ratio", "dirty_bytes", "dirty_background_ratio", "dirty_background_bytes",
                           "dirty_expire_centisecs", "dirty_writeback_centisecs"}) {
    settings[name] = trimmed(read_file(fmt::format("/proc/sys/vm/{}", name)));
  }
  return {{"meminfo_kib", std::move(sizes)}, {"vm", std::move(settings)}};
}

nlohmann::json stall_part() {
  nlohmann::json part;
  for (const char* name : {"memory", "io", "cpu"}) {
    part[name] = lines_of(read_file(fmt::format("/proc/pressure/{}", name)));
  }
  return part;
}

nlohmann::json cgroup_part(const PressureFacts& pressure) {
  if (pressure.directory.empty()) {
    throw SystemError("the run had no memory cgroup (" + pressure.backend + "): " + pressure.reason, ENOENT);
  }
  nlohmann::json files = nlohmann::json::object();
  for (const char* name :
       {"memory.current", "memory.peak", "memory.max", "memory.high", "memory.swap.max", "memory.events", "memory.stat",
        "memory.pressure", "io.pressure", "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes",
        "memory.failcnt", "memory.oom_control"}) {
    const std::string path = pressure.directory + "/" + name;
    if (access(path.c_str(), R_OK) != 0) continue;  // of the other version, or newer than this kernel
    files[name] = trimmed(read_file(path)).substr(0, kControlFileBytes);
  }
  if (files.empty()) throw SystemError("read the control files of " + pressure.directory, ENOENT);
  return {{"backend", pressure.backend}, {"directory", system_name(pressure.directory)}, {"files", std::move(files)}};
}

}  // namespace writecanary::probe
