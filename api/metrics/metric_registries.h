// A Prometheus registry for each target, and the text of each as it last was.
//
// Sixty-four targets with twelve profiles have 48,000 series, and writing them all out takes 80 ms. Between two scrapes
// only a few targets end a run, so only those are written again. That is all this does: it neither knows the families
// nor reads their values.
#pragma once

#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace writecanary::api {

// All but text() belong to one thread.
class MetricRegistries {
 public:
  // The registry of a target, made when it is not there; the empty name is for what belongs to no target.
  prometheus::Registry& of(const std::string& target) { return entry(target).registry; }
  // Call after each change of a value: what is not told is not seen.
  void changed(const std::string& target) { ++entry(target).changes; }
  void remove(const std::string& target);

  // The exposition of all registries together with `others`: families by name, in each the targets by name, so that
  // people can read it too. Any thread; the values of one target may be of a moment in which a run's end is counted in
  // some of them only, which the next call makes good.
  std::string text(const std::vector<prometheus::MetricFamily>& others) const;

 private:
  // By name of the family: its lines without and with comments.
  struct Lines {
    std::string comments;
    std::string series;
  };
  using Families = std::map<std::string, Lines>;

  struct Entry {
    prometheus::Registry registry;
    std::atomic<std::uint64_t> changes{1};
    std::uint64_t written = 0;  // changes when `families` was made; guarded by mutex_
    Families families;          // guarded by mutex_
  };

  Entry& entry(const std::string& target);
  static Families write(std::vector<prometheus::MetricFamily> collected);

  mutable std::mutex mutex_;  // also guards the map itself against a change while another thread reads it
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace writecanary::api
