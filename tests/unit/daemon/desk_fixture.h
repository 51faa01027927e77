// A run desk on a real database, with a scripted probe.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/text/units.h"
#include "daemon/commands.h"
#include "daemon/runs/run_desk.h"
#include "storage/reader/reader.h"
#include "tests/unit/core/fake_probe.h"

namespace writecanary::daemon {

inline constexpr char kGood[] = "say_hello; say_progress; say_end";
inline constexpr char kWaits[] =
    "trap 'say_stopped; exit 0' TERM; say_hello; say_progress; while :; do sleep 0.01; done";

// The wall clock stands where the test puts it; the other one runs, since processes do.
class TestClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
  SteadyTime with_sleep() const override { return steady() + gone_by_; }
  // So much time goes by, which to set now_ alone does not mean.
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    gone_by_ += time;
  }
  std::chrono::milliseconds gone_by_{0};
  SystemTime now_ = from_unix_ms(*parse_timestamp_ms("2026-06-01T12:00:00Z"));
};

class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b"}) {
      TargetConfig target;
      target.name = name;
      target.path = std::string("/mnt/") + name;
      target.settings.profiles = {"append"};
      config_.targets.push_back(target);
    }
    config_.storage_path = directory_.path() + "/results.db";
    catalogue_.resize(1);
    catalogue_[0].name = "append";
    open(kGood);
  }

  void open(const std::string& script) {
    commands_.reset();
    desk_.reset();
    watch_.reset();
    reader_.reset();
    store_.reset();
    store_ = storage::Store::open(config_.storage_path);
    reader_ = std::make_unique<storage::Reader>(config_.storage_path);
    watch_ = std::make_unique<ClockWatch>(*store_, clock_, "this boot");
    desk_ = std::make_unique<RunDesk>(DeskServices{
        *store_, events_, metrics_, loop_, clock_, *watch_, CgroupRoot{0, "", "none in this test"}, "wc-test-",
        make_fake_probe(directory_, "probe", script), config_.evidence_root(), [this] { return ++seed_; },
        RunPatience{std::chrono::seconds{60}, std::chrono::seconds{60}, std::chrono::seconds{60}}});
    desk_->configure(config_);
    desk_->set_mounts(mounts_);
    commands_ = std::make_unique<Commands>(*desk_, *store_, metrics_, catalogue_, clock_, *watch_);
  }

  api::CommandResult execute(const api::Command& command) {
    return commands_->execute({"me", "192.0.2.1", "id-1", "POST", "/somewhere"}, command);
  }
  api::CommandResult start(const std::string& target, bool queue = false, const std::string& key = "") {
    api::StartRun command;
    command.target = target;
    command.profile = "append";
    command.queue = queue;
    command.idempotency_key = key;
    auto result = execute(command);
    desk_->pass();
    return result;
  }
  std::int64_t started(const std::string& target, bool queue = false) {
    return std::get<api::Accepted>(start(target, queue)).id;
  }
  static std::string refused(const api::CommandResult& result) {
    const auto* refusal = std::get_if<api::Refusal>(&result);
    return refusal == nullptr ? "accepted" : refusal->type;
  }

  template <typename Condition>
  void until(const Condition& condition) {
    bool timed_out = false;
    Timer timer(loop_, [&] { timed_out = true; });
    timer.set(clock_.steady() + std::chrono::seconds{60});
    desk_->pass();
    while (!condition() && !timed_out) {
      loop_.run_once();
      desk_->pass();
    }
    ASSERT_FALSE(timed_out) << "nothing happened for a minute";
  }
  void until_settled() {
    until([this] { return desk_->settled(); });
  }
  bool progress_seen() const {
    return !desk_->live_runs().empty() && desk_->live_runs()[0].progress.counters.writes > 0;
  }
  storage::RunRow row(std::int64_t id) const { return *reader_->run(id); }
  std::vector<std::string> event_types() const {
    std::vector<std::string> types;
    for (const auto& event : store_->events_after(0, 100)) types.push_back(event.type);
    return types;
  }

  TemporaryDirectory directory_;
  TestClock clock_;
  Config config_;
  std::vector<Mount> mounts_ = {{"8:1", "/", "rw", "ext4", "/dev/sda1", "/", 21, 1},
                                {"8:2", "/mnt/a", "rw", "xfs", "/dev/sda2", "/", 22, 21},
                                {"8:3", "/mnt/b", "rw", "xfs", "/dev/sda3", "/", 23, 21}};
  Catalogue catalogue_;
  EventLoop loop_;
  api::EventHub events_;
  api::Metrics metrics_;
  std::uint64_t seed_ = 0;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Reader> reader_;
  std::unique_ptr<ClockWatch> watch_;
  std::unique_ptr<RunDesk> desk_;
  std::unique_ptr<Commands> commands_;
};

}  // namespace writecanary::daemon
