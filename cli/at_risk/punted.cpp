#include "cli/at_risk/punted.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/base/system_text.h"

namespace writecanary::cli {
namespace {

// Requests whose descriptor is remembered. A ring recycles its requests, so this is far more than are in flight.
constexpr std::size_t kRequestsMax = 1U << 16;
// REQ_F_FIXED_FILE and REQ_F_FORCE_ASYNC are the bits of IOSQE_FIXED_FILE and IOSQE_ASYNC.
constexpr std::uint64_t kFixedFile = 1U << 0;
constexpr std::uint64_t kForceAsync = 1U << 4;

constexpr std::string_view kFileGet = ": io_uring_file_get: ";
constexpr std::string_view kQueued = ": io_uring_queue_async_work: ";

template <typename Number>
std::optional<Number> leading_number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// The word behind `label`, up to a comma, a blank or the end.
std::string_view word_behind(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + label.size());
  return text.substr(0, text.find_first_of(", \n"));
}

// `          comm-4711    [001] ...1.  12.345`: the name may have anything in it.
std::optional<int> thread_in(std::string_view head) {
  const std::size_t cpu = head.rfind(" [");
  if (cpu == std::string_view::npos) return std::nullopt;
  head = head.substr(0, cpu);
  const std::size_t dash = head.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return leading_number<int>(head.substr(dash + 1));
}

}  // namespace

std::optional<TraceLine> parse_trace_line(std::string_view line) {
  const std::size_t queued = line.find(kQueued);
  const std::size_t got = queued == std::string_view::npos ? line.find(kFileGet) : std::string_view::npos;
  const std::size_t at = std::min(queued, got);
  if (at == std::string_view::npos) return std::nullopt;
  const auto tid = thread_in(line.substr(0, at));
  if (!tid) return std::nullopt;
  TraceLine parsed;
  parsed.tid = *tid;
  if (got != std::string_view::npos) {
    const auto fd = leading_number<int>(word_behind(line.substr(at), ", fd "));
    parsed.request = word_behind(line.substr(at), ", req ");
    if (!fd || parsed.request.empty()) return std::nullopt;
    parsed.fd = *fd;
    return parsed;
  }
  parsed.event = TraceLine::Event::kQueued;
  parsed.request = word_behind(line.substr(at), ", request ");
  parsed.opcode = system_name(word_behind(line.substr(at), ", opcode "));
  std::string_view digits = word_behind(line.substr(at), ", flags ");
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  const auto flags = leading_number<std::uint64_t>(digits, 16);
  if (!flags || parsed.request.empty() || parsed.opcode.empty()) return std::nullopt;
  parsed.fixed_file = (*flags & kFixedFile) != 0;
  parsed.forced = (*flags & kForceAsync) != 0;
  return parsed;
}

std::uint64_t lost_events(std::string_view line) {
  if (!line.starts_with("CPU:") || line.find(" EVENTS]") == std::string_view::npos) return 0;
  return leading_number<std::uint64_t>(word_behind(line, "[LOST ")).value_or(0);
}

const Process& PuntedCounter::process_of(int tid) {
  const auto known = processes_.find(tid);
  return known != processes_.end() ? known->second : processes_[tid] = resolve_.process(tid);
}

void PuntedCounter::count(const TraceLine& line, Files& files) {
  if (line.event == TraceLine::Event::kFileGet) {
    if (fds_.size() >= kRequestsMax) fds_.clear();
    fds_[line.request] = line.fd;
    return;
  }
  std::optional<AppendFile> file;
  // What was not tried inline has not asked for its file yet: a descriptor would be that of an earlier request.
  if (const auto fd = fds_.find(line.request); fd != fds_.end() && !line.fixed_file && !line.forced) {
    const auto [known, is_new] = files.try_emplace({line.tid, fd->second});
    if (is_new) known->second = resolve_.file(line.tid, fd->second);
    file = known->second;
  }
  const Process& process = process_of(line.tid);
  Punted& entry = counts_[{process.pid, line.opcode, file ? file->path : std::string()}];
  if (entry.opcode.empty()) entry = {process, line.opcode, std::move(file)};
  ++(line.forced ? entry.forced : entry.punted);
}

void PuntedCounter::add(std::string_view text) {
  Files files;
  rest_ += text;
  std::string_view lines = rest_;
  for (std::size_t end = lines.find('\n'); end != std::string_view::npos; end = lines.find('\n')) {
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    lost_ += lost_events(line);
    if (const auto parsed = parse_trace_line(line)) count(*parsed, files);
  }
  rest_ = std::string(lines);
}

std::vector<Punted> PuntedCounter::counts() const {
  std::vector<Punted> all;
  for (const auto& [key, entry] : counts_) all.push_back(entry);
  std::ranges::stable_sort(all, [](const Punted& a, const Punted& b) { return a.punted > b.punted; });
  return all;
}

}  // namespace writecanary::cli
