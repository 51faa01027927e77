#include "api/metrics/metric_registries.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

namespace writecanary::api {

MetricRegistries::Entry& MetricRegistries::entry(const std::string& target) {
  // Only this thread changes the map, so it may look without the lock.
  const auto found = entries_.find(target);
  if (found != entries_.end()) return *found->second;
  const std::lock_guard lock(mutex_);
  return *entries_.emplace(target, std::make_unique<Entry>()).first->second;
}

void MetricRegistries::remove(const std::string& target) {
  const std::lock_guard lock(mutex_);
  entries_.erase(target);
}

MetricRegistries::Families MetricRegistries::write(std::vector<prometheus::MetricFamily> collected) {
  Families families;
  for (auto& family : collected) {
    // The registry keeps its series in hash order.
    std::ranges::sort(family.metric, {}, &prometheus::ClientMetric::label);
    const std::string name = family.name;
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, {std::move(family)});
    std::string text = std::move(out).str();
    std::size_t end_of_comments = 0;
    while (text.compare(end_of_comments, 2, "# ") == 0) end_of_comments = text.find('\n', end_of_comments) + 1;
    families[name] = {text.substr(0, end_of_comments), text.substr(end_of_comments)};
  }
  return families;
}

std::string MetricRegistries::text(const std::vector<prometheus::MetricFamily>& others) const {
  const Families more = write(others);
  const std::lock_guard lock(mutex_);
  std::map<std::string_view, std::vector<const Lines*>> by_name;
  std::size_t size = 0;
  const auto add = [&](const Families& families) {
    for (const auto& [name, lines] : families) {
      by_name[name].push_back(&lines);
      size += lines.comments.size() + lines.series.size();
    }
  };
  add(more);
  for (const auto& [target, entry] : entries_) {
    // Read before the values are: a change meanwhile makes it be written once more.
    const std::uint64_t changes = entry->changes;
    if (entry->written != changes) {
      entry->families = write(entry->registry.Collect());
      entry->written = changes;
    }
    add(entry->families);
  }
  std::string out;
  out.reserve(size);
  for (const auto& [name, lines] : by_name) {
    out += lines.front()->comments;
    for (const Lines* each : lines) out += each->series;
  }
  return out;
}

}  // namespace writecanary::api
