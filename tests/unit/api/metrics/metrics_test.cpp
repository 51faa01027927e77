#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "api/metrics/process_metrics.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using MetricsTest = ApiTest;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::string series(const std::string& name, const std::string& label, std::string_view value) {
  return "writecanary_" + name + "{" + label + "=\"" + std::string(value) + "\",";
}

TEST_F(MetricsTest, EverythingExistsAtZeroFromTheFirstScrape) {
  const auto text = metrics.scrape();
  for (const std::string target : {"data", "logs"}) {
    for (const std::string profile : {"append", "nowait-contract"}) {
      const std::string pair = fmt::format("profile=\"{}\",target=\"{}\"", profile, target);
      for (const Verdict verdict : kAllVerdicts) {
        const std::string line =
            "writecanary_runs_total{" + pair + ",verdict=\"" + std::string(to_string(verdict)) + "\"} 0";
        EXPECT_TRUE(has_line(text, line)) << line;
      }
      for (const FindingKind kind : kAllFindingKinds) {
        const std::string line = series("findings_total", "kind", to_string(kind)) + pair + "} 0";
        EXPECT_TRUE(has_line(text, line)) << line;
      }
    }
  }
}

TEST_F(MetricsTest, AFindingMovesExactlyItsSeries) {
  const auto before = metrics.scrape();
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  std::set<std::string> changed;
  for (const auto& line : lines_of(metrics.scrape())) {
    const bool ours = line.starts_with("writecanary_") && line.find("_bucket") == std::string::npos;
    if (ours && !has_line(before, line)) changed.insert(line);
  }
  EXPECT_EQ(
      changed,
      std::set<std::string>({
          R"(writecanary_bytes_written_total{profile="append",target="data"} 4096)",
          R"(writecanary_duplicate_bytes_total{profile="append",target="data"} 8192)",
          R"(writecanary_exposures_total{profile="append",target="data"} 99)",
          R"(writecanary_findings_total{kind="duplicate",profile="append",target="data"} 1)",
          R"(writecanary_first_finding_seconds_count{profile="append",target="data"} 1)",
          R"(writecanary_first_finding_seconds_sum{profile="append",target="data"} 0.02)",
          R"(writecanary_kernel_exposures_total{profile="append",release="6.1.170",target="data"} 99)",
          R"(writecanary_kernel_findings_total{kind="duplicate",profile="append",release="6.1.170",target="data"} 1)",
          R"(writecanary_kernel_runs_total{profile="append",release="6.1.170",target="data",verdict="corrupt"} 1)",
          R"(writecanary_last_run_timestamp_seconds{profile="append",target="data"} 1780000000)",
          R"(writecanary_open_incidents{class="corruption",kind="duplicate",profile="append",release="6.1.170",target="data"} 1)",
          R"(writecanary_run_duration_seconds_count{profile="append",target="data"} 1)",
          R"(writecanary_run_duration_seconds_sum{profile="append",target="data"} 1.5)",
          R"(writecanary_runs_total{profile="append",target="data",verdict="corrupt"} 1)",
          R"(writecanary_writes_total{profile="append",target="data"} 100)",
      }));
  post("/api/v1/findings/1/ack", {{"note", "known"}}, 200);
  EXPECT_EQ(metrics.scrape().find("writecanary_open_incidents{"), std::string::npos) << "what is known is not open";
}

// What differs from host to host and from build to build is left out; everything else is compared as a whole.
std::string golden_part(const std::string& scrape) {
  std::string part;
  for (const auto& line : lines_of(scrape)) {
    const bool varies = line.find(" process_") != std::string::npos || line.starts_with("process_") ||
                        line.starts_with("writecanary_build_info{") || line.starts_with("writecanary_database_");
    if (!varies) part += line + "\n";
  }
  return part;
}

TEST_F(MetricsTest, GoldenScrapeAfterAFinding) {
  Metrics own;
  own.configure({"data"}, {"append"}, {});
  own.configure_kernel("6.1.170", {});
  LiveState state = *board.get();
  state.targets.resize(1);
  state.targets[0].current_run = 1;
  state.self_test.detectors = {{FindingKind::kTorn, true, true, true, ""}};
  own.mirror(state, 4096);
  RunResult result;
  result.profile = "append";
  result.kernel.release = "6.1.170";
  result.end.verdict = Verdict::kCorrupt;
  result.end.counters.writes = 12;
  result.end.counters.exposures = 11;
  result.end.duration_seconds = 0.75;
  result.end.first_finding_seconds = 0.03;
  result.end.tally.add(FindingKind::kDuplicate, 8192);
  own.on_run_finished("data", result, 1'780'000'000'500);
  storage::IncidentRow incident;
  incident.target = "data";
  incident.profile = "append";
  incident.kernel_release = "6.1.170";
  incident.kind = FindingKind::kDuplicate;
  own.set_open_incidents({incident});
  std::ifstream file(std::filesystem::path(WRITECANARY_SOURCE_DIR) / "tests/unit/api/metrics/golden_scrape.txt");
  ASSERT_TRUE(file);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(golden_part(own.scrape()), golden);
}

TEST_F(MetricsTest, AStateDirectoryThatFailsIsSeen) {
  const auto look = [this](bool ready, std::uint64_t errors) {
    LiveState state = *board.get();
    state.ready = ready;
    state.storage_errors = errors;
    metrics.mirror(state, 4096);
    return metrics.scrape();
  };
  EXPECT_TRUE(has_line(look(true, 0), "writecanary_storage_errors_total 0"));
  const auto failing = look(false, 3);
  EXPECT_TRUE(has_line(failing, "writecanary_ready 0"));
  EXPECT_TRUE(has_line(failing, "writecanary_storage_errors_total 3"));
  const auto again = look(true, 5);
  EXPECT_TRUE(has_line(again, "writecanary_ready 1"));
  EXPECT_TRUE(has_line(again, "writecanary_storage_errors_total 5"));
}

TEST_F(MetricsTest, CountersGoOnAfterARestart) {
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  daemon.run_once("data", "offset", Verdict::kClean);  // not among the configured profiles
  Metrics restarted;
  restarted.configure({"data"}, {"append"}, reader.totals());
  restarted.configure_kernel("6.1.170", daemon.totals_of_kernel("6.1.170"));
  restarted.set_open_incidents(daemon.open_incidents());
  const auto text = restarted.scrape();
  EXPECT_TRUE(has_line(text, R"(writecanary_findings_total{kind="duplicate",profile="append",target="data"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_writes_total{profile="append",target="data"} 100)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_runs_total{profile="offset",target="data",verdict="clean"} 1)"));
  EXPECT_TRUE(has_line(
      text,
      R"(writecanary_open_incidents{class="corruption",kind="duplicate",profile="append",release="6.1.170",target="data"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_last_clean_timestamp_seconds{profile="offset",target="data"} 1780000000)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_last_clean_timestamp_seconds{profile="append",target="data"} 0)"));
}

TEST_F(MetricsTest, AnotherKernelBeginsAtZeroAndGoesOnWhereItWas) {
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});  // on 6.1.170
  const auto booted = [&](const std::string& release) {
    auto rebooted = std::make_unique<Metrics>();
    rebooted->configure({"data"}, {"append"}, reader.totals());
    rebooted->configure_kernel(release, daemon.totals_of_kernel(release));
    rebooted->set_open_incidents(daemon.open_incidents());
    return rebooted;
  };
  const auto next = booted("6.12.94");
  EXPECT_TRUE(has_line(next->scrape(),
                       R"(writecanary_kernel_exposures_total{profile="append",release="6.12.94",target="data"} 0)"));
  EXPECT_TRUE(has_line(
      next->scrape(),
      R"(writecanary_kernel_findings_total{kind="duplicate",profile="append",release="6.12.94",target="data"} 0)"));
  EXPECT_EQ(next->scrape().find(R"(release="6.1.170")"), std::string::npos);
  // The run that the reboot cut off is closed by the daemon of the next kernel.
  RunResult cut_off;
  cut_off.profile = "append";
  cut_off.kernel.release = "6.1.170";
  cut_off.end.verdict = Verdict::kInterrupted;
  cut_off.end.counters.exposures = 5;
  next->on_run_finished("data", cut_off, 1'780'000'000'000);
  EXPECT_TRUE(has_line(next->scrape(),
                       R"(writecanary_kernel_exposures_total{profile="append",release="6.12.94",target="data"} 0)"));

  const auto back = booted("6.1.170");
  EXPECT_TRUE(has_line(back->scrape(),
                       R"(writecanary_kernel_exposures_total{profile="append",release="6.1.170",target="data"} 99)"));
  EXPECT_TRUE(has_line(
      back->scrape(),
      R"(writecanary_kernel_findings_total{kind="duplicate",profile="append",release="6.1.170",target="data"} 1)"));
}

TEST_F(MetricsTest, AReloadNeitherDoublesNorForgets) {
  daemon.run_once("data", "append", Verdict::kClean);
  metrics.configure({"data", "new"}, {"append"}, reader.totals());
  metrics.configure_kernel("6.1.170", daemon.totals_of_kernel("6.1.170"));
  const auto text = metrics.scrape();
  EXPECT_TRUE(has_line(text, R"(writecanary_runs_total{profile="append",target="data",verdict="clean"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_run_duration_seconds_count{profile="append",target="data"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_runs_total{profile="append",target="new",verdict="clean"} 0)"));
  EXPECT_TRUE(
      has_line(text, R"(writecanary_kernel_exposures_total{profile="append",release="6.1.170",target="data"} 99)"));
  EXPECT_TRUE(
      has_line(text, R"(writecanary_kernel_exposures_total{profile="append",release="6.1.170",target="new"} 0)"));
  EXPECT_EQ(text.find(R"(target="logs")"), std::string::npos);
}

TEST_F(MetricsTest, MirrorsTheLiveState) {
  daemon.change_live([](LiveState& state) {
    state.config_reload_successful = false;
    state.targets[0].current_run = 5;
    state.targets[0].state = "stuck";
    state.targets[0].profiles[0].every_ms = 900'000;
    state.targets[1].mounted = false;
    state.targets[1].paused = true;
    state.database_bytes_max = 1 << 20;
    state.evidence_bytes = 77;
  });
  metrics.mirror(*board.get(), 4096);
  auto text = metrics.scrape();
  EXPECT_TRUE(has_line(text, R"(writecanary_run_in_progress{target="data"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_run_in_progress{target="logs"} 0)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_target_info{fstype="xfs",source="/dev/loop0",target="data"} 1)"));
  EXPECT_EQ(text.find(R"(source="/dev/loop0",target="logs")"), std::string::npos);
  EXPECT_TRUE(has_line(text, R"(writecanary_next_run_timestamp_seconds{profile="append",target="data"} 1780000900)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_next_run_timestamp_seconds{profile="nowait-contract",target="data"} 0)"));
  EXPECT_TRUE(has_line(text, "writecanary_config_reload_successful 0"));
  EXPECT_TRUE(has_line(text, "writecanary_database_size_bytes 4096"));
  EXPECT_TRUE(has_line(text, "writecanary_database_max_size_bytes 1048576"));
  EXPECT_TRUE(has_line(text, "writecanary_evidence_size_bytes 77"));
  EXPECT_TRUE(has_line(text, R"(writecanary_target_stuck{target="data"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_target_stuck{target="logs"} 0)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_target_paused{target="data"} 0)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_target_paused{target="logs"} 1)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_schedule_interval_seconds{profile="append",target="data"} 900)"));
  EXPECT_TRUE(has_line(text, R"(writecanary_kernel_info{release="6.1.170"} 1)"));

  daemon.change_live([](LiveState& state) { state.targets[0].filesystem.source = "/dev/sdb1"; });
  metrics.mirror(*board.get(), 4096);
  text = metrics.scrape();
  EXPECT_TRUE(has_line(text, R"(writecanary_target_info{fstype="xfs",source="/dev/sdb1",target="data"} 1)"));
  EXPECT_EQ(text.find(R"(source="/dev/loop0",target="data")"), std::string::npos);
}

TEST_F(MetricsTest, PromtoolFindsNothingToSay) {
  if (std::system("command -v promtool >/dev/null") != 0) {
    GTEST_SKIP() << "promtool is not installed (package prometheus)";
  }
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  auto http = client();
  const auto answer = http.Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  const std::string file = directory.path() + "/metrics.txt";
  std::ofstream(file) << answer->body;
  FILE* promtool = ::popen(("promtool check metrics < " + file + " 2>&1").c_str(), "r");
  ASSERT_NE(promtool, nullptr);
  std::string said;
  for (int c = 0; (c = std::fgetc(promtool)) != EOF;) said += static_cast<char>(c);
  EXPECT_EQ(::pclose(promtool), 0) << said;
  EXPECT_EQ(said, "");
}

TEST(ProcessMetricsTest, ReadsProc) {
  const TemporaryDirectory proc;
  std::ofstream(proc.path() + "/stat") << "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 5 0 1000 "
                                          "1048576 3 18446744073709551615 1\n";
  std::ofstream(proc.path() + "/limits")
      << "Limit                     Soft Limit           Hard Limit           Units\n"
         "Max open files            1024                 524288               files\n";
  std::ofstream(proc.path() + "/system") << "cpu 1 2 3\nbtime 1780000000\nprocesses 9\n";
  std::filesystem::create_directory(proc.path() + "/fd");
  for (const char* fd : {"0", "1", "2"}) std::ofstream(proc.path() + "/fd/" + fd);
  std::map<std::string, double> values;
  for (const auto& family : process_metrics(proc.path(), proc.path() + "/system")) {
    const auto& metric = family.metric.at(0);
    values[family.name] = family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  EXPECT_EQ(values, (std::map<std::string, double>{
                        {"process_cpu_seconds_total", 400 / ticks},
                        {"process_virtual_memory_bytes", 1'048'576},
                        {"process_resident_memory_bytes", 3.0 * static_cast<double>(::sysconf(_SC_PAGESIZE))},
                        {"process_start_time_seconds", 1'780'000'000 + 1000 / ticks},
                        {"process_open_fds", 3},
                        {"process_max_fds", 1024}}));
}

TEST(ProcessMetricsTest, LeavesOutWhatCannotBeRead) {
  EXPECT_TRUE(process_metrics("/nonexistent", "/nonexistent").empty());
}

TEST(ProcessMetricsTest, TheRealOnesAreThere) { EXPECT_EQ(process_metrics().size(), 6U); }

}  // namespace
}  // namespace writecanary::api::test
