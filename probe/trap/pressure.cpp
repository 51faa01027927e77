#include "probe/trap/pressure.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kChargeBatchPages = 64;  // mm/memcontrol.c, MEMCG_CHARGE_BATCH
constexpr std::uint64_t kHeadroomPages = 12;
constexpr std::uint64_t kHeadroomUnits = 3;
constexpr std::uint64_t kMarginPages = 12;  // xarray nodes, log items and other charges beside the data
constexpr std::uint64_t kSpreadPages = 32;

std::uint64_t read_number(int fd) {
  char text[32];
  const ssize_t size = pread(fd, text, sizeof text, 0);
  std::uint64_t value = 0;
  if (size > 0) std::from_chars(text, text + size, value);
  return value;
}

// The value of `key` in a flat keyed file such as memory.events; 0 when file or key are missing.
std::uint64_t read_key(const std::string& file, const std::string& key) {
  try {
    std::istringstream lines(read_file(file));
    std::string name;
    std::uint64_t value = 0;
    while (lines >> name >> value) {
      if (name == key) return value;
    }
  } catch (const SystemError&) {  // older kernels lack the file: nothing known
  }
  return 0;
}

}  // namespace

HeadroomPlan headroom_plan(std::uint64_t page_bytes, std::uint64_t unit_bytes) {
  const std::uint64_t unit_pages = std::max<std::uint64_t>(unit_bytes / page_bytes, 1);
  const std::uint64_t headroom_pages = std::max(kHeadroomPages, kHeadroomUnits * unit_pages);
  const std::uint64_t floor_pages = headroom_pages + kChargeBatchPages + std::max(kMarginPages, 2 * unit_pages);
  const std::uint64_t spread_pages = std::max(kSpreadPages, 4 * unit_pages);
  return {headroom_pages * page_bytes, floor_pages * page_bytes, (floor_pages + spread_pages) * page_bytes};
}

Pressure::Pressure(const PressureFacts& facts, std::uint64_t memory_bytes) : facts_(facts) {
  if (facts_.backend != "cgroup2" && facts_.backend != "cgroup1") return;
  v2_ = facts_.backend == "cgroup2";
  full_ = memory_bytes != 0 ? std::to_string(memory_bytes) : (v2_ ? "max" : "-1");
  const std::string limit_file = facts_.directory + (v2_ ? "/memory.max" : "/memory.limit_in_bytes");
  const std::string usage_file = facts_.directory + (v2_ ? "/memory.current" : "/memory.usage_in_bytes");
  try {
    write_control_file(limit_file, full_);
    usage_ = open_file(usage_file, O_RDONLY);
    limit_ = open_file(limit_file, O_WRONLY);
    // Without the kill a failed charge of a worker is a result (-ENOMEM), which is counted; version 2 has no such
    // switch.
    if (!v2_) write_control_file(facts_.directory + "/memory.oom_control", "1");
  } catch (const SystemError& error) {
    limit_.reset();
    facts_.backend = "none";
    facts_.reason = std::string(error.what()) +
                    ". The probe must be able to write the files of its own cgroup: "
                    "give its user the directory (Delegate=memory in a systemd unit, or chown)";
  }
}

bool Pressure::set_limit(std::uint64_t bytes) const {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, bytes).ptr;
  for (int attempt = 0; attempt < 4; ++attempt) {
    if (pwrite(limit_.get(), text, static_cast<std::size_t>(end - text), 0) > 0) return true;
    if (errno != EINTR) return false;  // v1 EBUSY: usage rose above the limit meanwhile
  }
  return false;
}

void Pressure::allow_swap() const {
  if (!v2_ || !limit_) return;
  try {
    write_control_file(facts_.directory + "/memory.swap.max", "max");
  } catch (
      const SystemError&) {  // no swap accounting, or not ours to write: files of a tmpfs stay in memory, as before
  }
}

bool Pressure::tighten(std::uint64_t headroom_bytes) {
  if (!available()) return false;
  for (int attempt = 0; attempt < 4; ++attempt) {
    if (set_limit(read_number(usage_.get()) + headroom_bytes)) return true;
  }
  return false;
}

void Pressure::relieve() {
  if (!available()) return;
  while (pwrite(limit_.get(), full_.data(), full_.size(), 0) < 0) {
    // The cgroup file is ours and the value is one it took before: only a signal can be in the way.
    if (errno != EINTR) throw_errno("write " + full_ + " to the memory limit in " + facts_.directory);
  }
}

bool Pressure::reclaim(std::uint64_t bytes) {
  if (!available()) return false;
  if (v2_) {
    try {
      write_control_file(facts_.directory + "/memory.reclaim", std::to_string(bytes));
      return true;
    } catch (const SystemError& error) {
      if (error.error_number() == EAGAIN) return true;  // it took back less than that
    }
  }
  // Before 5.19, and with version 1: lowering a limit makes the kernel try. memory.high, unlike memory.max, kills
  // nobody.
  const std::uint64_t usage = read_number(usage_.get());
  const std::string lower = std::to_string(usage - std::min(usage, bytes));
  if (!v2_) {
    set_limit(std::stoull(lower));  // EBUSY when it did not get that far
    relieve();
    return true;
  }
  const std::string high = facts_.directory + "/memory.high";
  try {
    const std::string before = read_file(high);
    write_control_file(high, lower);
    write_control_file(high, before.substr(0, before.find('\n')));
    return true;
  } catch (const SystemError&) {
    return false;
  }
}

void Pressure::read_events(RunCounters& counters) const {
  if (facts_.directory.empty()) return;
  if (v2_) {
    counters.limit_hits = read_key(facts_.directory + "/memory.events", "max");
    counters.oom_kills = read_key(facts_.directory + "/memory.events", "oom_kill");
    return;
  }
  try {
    counters.limit_hits = std::stoull(read_file(facts_.directory + "/memory.failcnt"));
  } catch (const std::exception&) {
    counters.limit_hits = 0;
  }
  counters.oom_kills = read_key(facts_.directory + "/memory.oom_control", "oom_kill");
}

}  // namespace writecanary::probe
