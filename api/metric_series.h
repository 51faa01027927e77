// Families of the Prometheus registry whose series come and go with the configuration. prometheus-cpp identifies a
// series by its pointer; this keeps the pointers by label values.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace writecanary::api {

// One family of Metric (Counter, Gauge, Histogram); the first label is always the target where there are labels.
// Used by one thread; the registry itself may be collected by others meanwhile.
template <typename Metric>
class Series {
 public:
  using Values = std::vector<std::string>;

  Series(prometheus::Family<Metric>& family, Values names) : family_(family), names_(std::move(names)) {}

  // Makes it when it is not there; `arguments` go to the constructor of Metric.
  template <typename... Arguments>
  Metric& at(const Values& values, Arguments&&... arguments) {
    auto& metric = metrics_[values];
    if (metric == nullptr) metric = &family_.Add(labels(values), std::forward<Arguments>(arguments)...);
    return *metric;
  }
  Metric* find(const Values& values) {
    const auto found = metrics_.find(values);
    return found == metrics_.end() ? nullptr : found->second;
  }
  // Removes the series whose label values `gone` says yes to.
  template <typename Predicate>
  void remove_if(const Predicate& gone) {
    std::erase_if(metrics_, [&](const auto& entry) {
      const bool goes = gone(entry.first);
      if (goes) family_.Remove(entry.second);
      return goes;
    });
  }
  template <typename Function>
  void for_each(const Function& function) {
    for (auto& [values, metric] : metrics_) function(values, *metric);
  }

 private:
  prometheus::Labels labels(const Values& values) const {
    prometheus::Labels result;
    for (std::size_t i = 0; i < names_.size(); ++i) result[names_[i]] = values[i];
    return result;
  }

  prometheus::Family<Metric>& family_;
  const Values names_;
  std::map<Values, Metric*> metrics_;
};

}  // namespace writecanary::api
