// Families of Prometheus metrics whose series come and go with the configuration. prometheus-cpp identifies a series
// by its pointer; this keeps the pointers by label values, and tells the registries of every change.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/metrics/metric_registries.h"

namespace writecanary::api {

inline prometheus::Family<prometheus::Counter>& register_family(prometheus::Registry& registry, const std::string& name,
                                                                const std::string& help, const prometheus::Counter*) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
inline prometheus::Family<prometheus::Gauge>& register_family(prometheus::Registry& registry, const std::string& name,
                                                              const std::string& help, const prometheus::Gauge*) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
inline prometheus::Family<prometheus::Histogram>& register_family(prometheus::Registry& registry,
                                                                  const std::string& name, const std::string& help,
                                                                  const prometheus::Histogram*) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

// One family of Metric (Counter, Gauge, Histogram); when its first label is the target, each target's series stand in
// that target's registry. Used by one thread; the registries may be read by others meanwhile.
template <typename Metric>
class Series {
 public:
  using Values = std::vector<std::string>;

  Series(MetricRegistries& registries, std::string name, std::string help, Values labels)
      : registries_(registries), name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)) {}

  bool has(const Values& values) const { return metrics_.contains(values); }
  // Makes it when it is not there; `arguments` go to the constructor of Metric. A change with `change` counts as one.
  template <typename Change, typename... Arguments>
  void change(const Values& values, const Change& change, Arguments&&... arguments) {
    change(find_or_make(values, std::forward<Arguments>(arguments)...));
    registries_.changed(target_of(values));
  }
  template <typename... Arguments>
  void make(const Values& values, Arguments&&... arguments) {
    change(
        values, [](Metric&) {}, std::forward<Arguments>(arguments)...);
  }
  void add(const Values& values, double value) requires requires(Metric& metric) { metric.Increment(value); }
  {
    change(values, [&](Metric& metric) { metric.Increment(value); });
  }
  void set(const Values& values, double value) requires requires(Metric& metric) { metric.Set(value); }
  {
    if (has(values) && metrics_.at(values)->Value() == value) return;
    change(values, [&](Metric& metric) { metric.Set(value); });
  }

  // Removes the series whose label values `gone` says yes to.
  template <typename Predicate>
  void remove_if(const Predicate& gone) {
    std::erase_if(metrics_, [&](const auto& entry) {
      if (!gone(entry.first)) return false;
      family(target_of(entry.first)).Remove(entry.second);
      registries_.changed(target_of(entry.first));
      return true;
    });
  }
  // Forgets the series of a target whose registry is removed.
  void forget_target(const std::string& target) {
    std::erase_if(metrics_, [&](const auto& entry) { return target_of(entry.first) == target; });
    families_.erase(target);
  }
  std::vector<Values> all() const {
    std::vector<Values> keys;
    keys.reserve(metrics_.size());
    for (const auto& [values, metric] : metrics_) keys.push_back(values);
    return keys;
  }

 private:
  std::string target_of(const Values& values) const {
    return !labels_.empty() && labels_.front() == "target" ? values.front() : std::string();
  }
  prometheus::Family<Metric>& family(const std::string& target) {
    auto& known = families_[target];
    if (known == nullptr) {
      known = &register_family(registries_.of(target), name_, help_, static_cast<const Metric*>(nullptr));
    }
    return *known;
  }
  template <typename... Arguments>
  Metric& find_or_make(const Values& values, Arguments&&... arguments) {
    auto& metric = metrics_[values];
    if (metric != nullptr) return *metric;
    prometheus::Labels labels;
    for (std::size_t i = 0; i < labels_.size(); ++i) labels[labels_[i]] = values[i];
    metric = &family(target_of(values)).Add(labels, std::forward<Arguments>(arguments)...);
    return *metric;
  }

  MetricRegistries& registries_;
  const std::string name_;
  const std::string help_;
  const Values labels_;
  std::map<std::string, prometheus::Family<Metric>*> families_;  // by target
  std::map<Values, Metric*> metrics_;
};

}  // namespace writecanary::api
