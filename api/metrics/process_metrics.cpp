#include "api/metrics/process_metrics.h"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::api {
namespace {

using prometheus::MetricType;

// Fields of /proc/self/stat counted from the state, which follows the command's closing parenthesis (proc(5) 3).
constexpr std::size_t kUserTicks = 14 - 3;
constexpr std::size_t kSystemTicks = 15 - 3;
constexpr std::size_t kStartTicks = 22 - 3;
constexpr std::size_t kVirtualBytes = 23 - 3;
constexpr std::size_t kResidentPages = 24 - 3;

std::optional<std::string> read_if_possible(const std::string& path) {
  try {
    return read_file(path);
  } catch (const SystemError&) {
    return std::nullopt;
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = text.find_first_not_of(" \n"); begin != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(" \n", begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(" \n", end);
  }
  return parts;
}

std::optional<double> to_number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return static_cast<double>(value);
}

std::optional<double> field(const std::vector<std::string_view>& fields, std::size_t index) {
  return index < fields.size() ? to_number(fields[index]) : std::nullopt;
}

// The first word after `label`, or the `skip`-th after that.
std::optional<double> labelled(const std::string& text, std::string_view label, std::size_t skip = 0) {
  const auto found = text.find(label);
  if (found == std::string::npos) return std::nullopt;
  const auto rest = words(std::string_view(text).substr(found + label.size(), 100));
  if (skip < rest.size() && rest[skip] == "unlimited") return std::numeric_limits<double>::infinity();
  return field(rest, skip);
}

std::optional<double> count_entries(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  if (error) return std::nullopt;
  double count = 0;
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) ++count;
  return count;
}

class Families {
 public:
  void add(MetricType type, const std::string& name, const std::string& help, std::optional<double> value) {
    if (!value) return;
    prometheus::ClientMetric metric;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
    families_.push_back({name, help, type, {metric}});
  }
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

void add_stat(Families& out, const std::string& stat, const std::string& proc_stat) {
  const auto command_end = stat.rfind(')');
  if (command_end == std::string::npos) return;
  const auto fields = words(std::string_view(stat).substr(command_end + 1));
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto user = field(fields, kUserTicks);
  const auto system = field(fields, kSystemTicks);
  if (user && system) {
    out.add(MetricType::Counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
            (*user + *system) / ticks);
  }
  out.add(MetricType::Gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
          field(fields, kVirtualBytes));
  if (const auto pages = field(fields, kResidentPages)) {
    out.add(MetricType::Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.",
            *pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  const auto start = field(fields, kStartTicks);
  const auto boot = labelled(read_if_possible(proc_stat).value_or(""), "btime ");
  if (start && boot) {
    out.add(MetricType::Gauge, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
            *boot + *start / ticks);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> process_metrics(const std::string& proc_self, const std::string& proc_stat) {
  Families out;
  if (const auto stat = read_if_possible(proc_self + "/stat")) add_stat(out, *stat, proc_stat);
  out.add(MetricType::Gauge, "process_open_fds", "Number of open file descriptors.", count_entries(proc_self + "/fd"));
  if (const auto limits = read_if_possible(proc_self + "/limits")) {
    out.add(MetricType::Gauge, "process_max_fds", "Maximum number of open file descriptors.",
            labelled(*limits, "Max open files"));
  }
  return out.take();
}

}  // namespace writecanary::api
