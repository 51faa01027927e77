#include "api/metrics/metric_registries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>

#include <array>
#include <thread>

#include "api/metrics/metric_series.h"

namespace writecanary::api {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using testing::HasSubstr;
using testing::Not;

TEST(MetricRegistries, FamiliesStandTogetherWhoeverTheirTargetsAre) {
  MetricRegistries registries;
  Series<Counter> runs(registries, "runs_total", "Runs.", {"target", "verdict"});
  Series<Gauge> ready(registries, "ready", "Ready.", {});
  runs.add({"log", "clean"}, 2);
  runs.add({"data", "corrupt"}, 1);
  runs.add({"data", "clean"}, 3);
  ready.set({}, 1);
  EXPECT_EQ(registries.text({}),
            "# HELP ready Ready.\n# TYPE ready gauge\nready 1\n"
            "# HELP runs_total Runs.\n# TYPE runs_total counter\n"
            "runs_total{target=\"data\",verdict=\"clean\"} 3\n"
            "runs_total{target=\"data\",verdict=\"corrupt\"} 1\n"
            "runs_total{target=\"log\",verdict=\"clean\"} 2\n");
}

TEST(MetricRegistries, EveryKindOfChangeIsSeenByTheNextText) {
  MetricRegistries registries;
  Series<Counter> runs(registries, "runs_total", "Runs.", {"target"});
  Series<Gauge> next(registries, "next", "Next.", {"target"});
  runs.make({"data"});
  EXPECT_THAT(registries.text({}), HasSubstr("runs_total{target=\"data\"} 0\n"));
  runs.add({"data"}, 1);
  EXPECT_THAT(registries.text({}), HasSubstr("runs_total{target=\"data\"} 1\n"));
  next.set({"data"}, 5);
  EXPECT_THAT(registries.text({}), HasSubstr("next{target=\"data\"} 5\n"));
  next.set({"data"}, 6);
  EXPECT_THAT(registries.text({}), HasSubstr("next{target=\"data\"} 6\n"));
  next.remove_if([](const auto&) { return true; });
  EXPECT_THAT(registries.text({}), Not(HasSubstr("next{")));
  runs.forget_target("data");
  registries.remove("data");
  EXPECT_EQ(registries.text({}), "");
  runs.add({"data"}, 1);
  EXPECT_THAT(registries.text({}), HasSubstr("runs_total{target=\"data\"} 1\n")) << "it came back";
}

TEST(MetricRegistries, WhatDidNotChangeIsNotWrittenAgain) {
  MetricRegistries registries;
  auto& counter = prometheus::BuildCounter().Name("quiet_total").Help("Q.").Register(registries.of("data")).Add({});
  EXPECT_THAT(registries.text({}), HasSubstr("quiet_total 0\n"));
  counter.Increment();
  EXPECT_THAT(registries.text({}), HasSubstr("quiet_total 0\n")) << "nobody said so";
  registries.changed("data");
  EXPECT_THAT(registries.text({}), HasSubstr("quiet_total 1\n"));
}

TEST(MetricRegistries, ManyMayReadWhileOneChanges) {
  MetricRegistries registries;
  Series<Counter> runs(registries, "runs_total", "Runs.", {"target"});
  runs.make({"data"});
  constexpr int kChanges = 2'000;
  std::array<std::jthread, 3> readers;
  for (auto& reader : readers) {
    reader = std::jthread([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) EXPECT_THAT(registries.text({}), HasSubstr("runs_total{target=\"data\"} "));
    });
  }
  for (int i = 0; i < kChanges; ++i) {
    runs.add({"data"}, 1);
    if (i % 10 == 0) runs.make({"target-" + std::to_string(i)});
    if (i % 20 == 0) {
      runs.forget_target("target-" + std::to_string(i));
      registries.remove("target-" + std::to_string(i));
    }
  }
  for (auto& reader : readers) reader = {};
  EXPECT_THAT(registries.text({}), HasSubstr("runs_total{target=\"data\"} " + std::to_string(kChanges) + "\n"));
}

}  // namespace
}  // namespace writecanary::api
