// A server as the daemon runs it: a real database in a temporary directory, a real listener on a free port. Only the
// clock and the daemon's loop are stand-ins: commands are carried out on the spot.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/server.h"
#include "storage/store/store.h"
#include "tests/unit/http.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::api::test {

using nlohmann::json;

class FixedClock final : public Clock {
 public:
  SystemTime now() const override { return from_unix_ms(now_ms + set_by_ms); }
  SteadyTime steady() const override { return SteadyTime(std::chrono::milliseconds(now_ms.load())); }
  std::atomic<std::int64_t> now_ms{1'780'000'000'000};  // 2026-05-28
  std::atomic<std::int64_t> set_by_ms{0};               // what somebody did to the wall clock
};

// What the loop does with commands, without schedules or processes. Also the tests' hand on the store; every change
// takes the mutex, because the store belongs to one thread at a time.
class FakeDaemon final : public CommandPort {
 public:
  FakeDaemon(const std::string& database, const Clock& clock, EventHub& hub, LiveBoard& board, Metrics& metrics);

  CommandResult execute(Caller caller, Command command) override;

  std::int64_t add_run(const std::string& target, const std::string& profile, std::uint64_t seed = 42,
                       const std::string& idempotency_key = "");
  void start_run(std::int64_t id);
  std::vector<std::int64_t> finish_run(std::int64_t id, Verdict verdict, const std::vector<Finding>& findings = {});
  // One whole run.
  std::int64_t run_once(const std::string& target, const std::string& profile, Verdict verdict,
                        const std::vector<Finding>& findings = {});
  void publish_progress(std::int64_t id);
  void change_live(const std::function<void(LiveState&)>& change);
  std::vector<storage::IncidentRow> open_incidents();
  std::vector<storage::TotalsRow> totals_of_kernel(const std::string& release);

  std::optional<Command> last_command() const;  // but for refused changes
  Caller last_caller() const;
  std::vector<std::pair<Caller, RefusedChange>> refused() const;
  std::optional<Refusal> refuse_next;  // the next command is answered with this

 private:
  CommandResult start(const StartRun& command);
  void publish_events();  // those committed since the last call

  mutable std::recursive_mutex mutex_;
  std::unique_ptr<storage::Store> store_;
  const Clock& clock_;
  EventHub& hub_;
  LiveBoard& board_;
  Metrics& metrics_;
  std::map<std::int64_t, storage::RunRow> added_;
  std::int64_t published_id_ = 0;
  std::optional<Command> last_command_;
  Caller last_caller_;
  std::vector<std::pair<Caller, RefusedChange>> refused_;
};

Finding duplicate_finding();
Catalogue test_catalogue();

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : ApiTest("127.0.0.1:0") {}
  explicit ApiTest(const std::string& listen, AccessRules rules = {});
  ~ApiTest() override;

  httplib::Client client() const;
  json get(const std::string& path, int status = 200) const;
  json post(const std::string& path, const json& body, int status) const;
  int port() const;

  TemporaryDirectory directory;
  FixedClock clock;
  EventHub hub;
  LiveBoard board;
  Metrics metrics;
  Catalogue catalogue = test_catalogue();
  FakeDaemon daemon{directory.path() + "/results.db", clock, hub, board, metrics};
  storage::Reader reader{directory.path() + "/results.db"};
  std::mutex log_mutex;
  std::vector<std::string> log;  // guarded by log_mutex
  Server server;
};

}  // namespace writecanary::api::test
