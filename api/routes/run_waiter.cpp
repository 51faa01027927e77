#include "api/routes/run_waiter.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace writecanary::api {
namespace {

constexpr char kProgress[] = "run.progress";  // of which there are several a second, and which end nothing
// How long one look at the hub takes: also how soon an end is seen that was committed and not announced.
constexpr std::chrono::seconds kLookAgain{1};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Of one preference, such as "wait=60" or "wait = 60; foo"; nothing for any other.
std::optional<std::int64_t> wait_seconds(std::string_view preference) {
  preference = trimmed(preference.substr(0, preference.find(';')));
  const std::size_t equals = preference.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string name(trimmed(preference.substr(0, equals)));
  if (::strcasecmp(name.c_str(), "wait") != 0) return std::nullopt;
  std::string_view text = trimmed(preference.substr(equals + 1));
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds <= 0) return std::nullopt;
  return std::min(seconds, kPreferWaitSecondsMax);
}

// The first of the request's preferences to wait.
std::optional<std::int64_t> preferred_wait(const Request& request) {
  const auto [begin, end] = request.headers.equal_range("Prefer");
  for (auto header = begin; header != end; ++header) {
    std::string_view list = header->second;
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(','), list.size());
      if (const auto seconds = wait_seconds(list.substr(0, comma))) return seconds;
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
  return std::nullopt;
}

bool has_ended(const storage::Reader& reader, std::int64_t id) {
  const auto run = reader.run(id);
  return !run || run->state == RunState::kFinished;
}

}  // namespace

bool RunWaiter::wait(Call& call, const Accepted& accepted) const {
  const auto seconds = preferred_wait(call.request);
  if (!seconds) return false;
  const auto slot = streams_->take();
  if (!slot) return false;
  call.response.set_header("Preference-Applied", "wait=" + std::to_string(*seconds));
  const auto all_ended = [&] {
    return has_ended(services_.reader, accepted.id) &&
           std::ranges::all_of(accepted.more, [&](std::int64_t id) { return has_ended(services_.reader, id); });
  };
  const SteadyTime deadline = services_.clock.steady() + std::chrono::seconds(*seconds);
  // Taken before the look at the database: whatever is committed after that look is announced after this.
  for (std::uint64_t sequence = services_.events.last_sequence(); !all_ended();) {
    bool look = false;
    while (!look) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - services_.clock.steady());
      if (left.count() <= 0 || services_.events.closed()) return false;
      const auto events = services_.events.wait_after(sequence, std::min<std::chrono::milliseconds>(left, kLookAgain));
      look =
          events.empty() || std::ranges::any_of(events, [](const LiveEvent& event) { return event.type != kProgress; });
      if (!events.empty()) sequence = events.back().sequence;
    }
  }
  return true;
}

}  // namespace writecanary::api
