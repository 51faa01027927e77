#include "tests/unit/api/api_fixture.h"

#include <cstdlib>

#include "core/run/run_spec.h"

namespace writecanary::api::test {
namespace {

constexpr std::chrono::seconds kPatience{60};

LiveTarget live_target(const std::string& name) {
  LiveTarget target;
  target.name = name;
  target.path = "/" + name;
  target.filesystem.type = "xfs";
  target.filesystem.source = "/dev/loop0";
  target.mounted = true;
  target.state = "idle";
  target.profiles = {{"append", 1'780'000'900'000}, {"nowait-contract", std::nullopt}};
  return target;
}

LiveState initial_state(const Clock& clock) {
  LiveState state;
  state.started_at_ms = to_unix_ms(clock.now()) - 60'000;
  state.started = clock.steady() - std::chrono::minutes{1};
  state.loop_beat = clock.steady();
  state.ready = true;
  state.pressure = {"cgroup2", "/sys/fs/cgroup/writecanary", ""};
  state.kernel = {"6.1.170", "#1 SMP", "x86_64"};
  state.database_path = "/var/lib/writecanary/results.db";
  state.targets = {live_target("data"), live_target("logs")};
  return state;
}

}  // namespace

FakeDaemon::FakeDaemon(const std::string& database, const Clock& clock, EventHub& hub, LiveBoard& board,
                       Metrics& metrics)
    : store_(storage::Store::open(database)), clock_(clock), hub_(hub), board_(board), metrics_(metrics) {
  store_->sync_targets({{"data", "/data", false, ""}, {"logs", "/logs", false, ""}});
  board_.publish(std::make_shared<LiveState>(initial_state(clock)));
  metrics_.configure({"data", "logs"}, {"append", "nowait-contract"}, store_->totals());
  metrics_.configure_kernel("6.1.170", store_->totals_of_kernel("6.1.170"));
  metrics_.mirror(*board_.get(), store_->size_bytes());
}

CommandResult FakeDaemon::execute(Caller caller, Command command) {
  const std::lock_guard lock(mutex_);
  if (const auto* change = std::get_if<RefusedChange>(&command)) {
    refused_.emplace_back(std::move(caller), *change);
    return Accepted{};
  }
  last_caller_ = std::move(caller);
  last_command_ = command;
  if (refuse_next) return *std::exchange(refuse_next, std::nullopt);
  const auto now_ms = to_unix_ms(clock_.now());
  if (const auto* start_command = std::get_if<StartRun>(&command)) return start(*start_command);
  if (const auto* stop = std::get_if<StopRun>(&command)) {
    finish_run(stop->run_id, Verdict::kStopped);
    return Accepted{stop->run_id};
  }
  if (const auto* pause = std::get_if<SetPaused>(&command)) {
    store_->set_paused(pause->target, pause->paused, pause->note, now_ms);
    change_live([&](LiveState& state) {
      for (auto& target : state.targets) {
        if (target.name != pause->target) continue;
        target.paused = pause->paused;
        target.paused_note = pause->note;
        target.state = pause->paused ? "paused" : "idle";
      }
    });
    publish_events();
    return Accepted{};
  }
  if (const auto* ack = std::get_if<AckIncidents>(&command)) {
    auto ids = store_->acknowledge(ack->which, {now_ms, last_caller_.who, ack->note, ack->until, ack->until_ms});
    metrics_.set_open_incidents(store_->open_incidents());
    publish_events();
    return Accepted{0, false, {}, std::move(ids)};
  }
  const auto& ack = std::get<AckFinding>(command);
  store_->acknowledge_finding(ack.finding_id, last_caller_.who, ack.note, now_ms);
  metrics_.set_open_incidents(store_->open_incidents());
  publish_events();
  return Accepted{ack.finding_id};
}

CommandResult FakeDaemon::start(const StartRun& command) {
  const auto now_ms = to_unix_ms(clock_.now());
  if (!command.idempotency_key.empty()) {
    const auto earlier = store_->run_of_key({"", command.idempotency_key, ""}, now_ms);
    if (earlier) return Accepted{earlier->run_id, true, {}};
  }
  Accepted accepted{add_run(command.target, command.profile, command.seed.value_or(7), command.idempotency_key)};
  for (const auto& profile : command.more_profiles) accepted.more.push_back(add_run(command.target, profile));
  return accepted;
}

std::int64_t FakeDaemon::add_run(const std::string& target, const std::string& profile, std::uint64_t seed,
                                 const std::string& idempotency_key) {
  const std::lock_guard lock(mutex_);
  storage::RunRow row;
  row.target = target;
  row.trigger = "api";
  row.requested_by = "127.0.0.1";
  row.queued_at_ms = to_unix_ms(clock_.now());
  row.result.profile = profile;
  row.result.seed = seed;
  const auto id = store_->add_run(row, {"", idempotency_key, ""});
  added_[id] = row;
  RunSpec spec;
  spec.run_id = std::to_string(id);
  spec.profile = profile;
  spec.path = "/" + target;
  spec.seed = seed;
  spec.writes_max = 500;
  store_->set_spec(id, json(spec).dump());
  publish_events();
  return id;
}

void FakeDaemon::start_run(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  store_->start_run(id, to_unix_ms(clock_.now()));
  store_->set_facts(id, {"6.1.170", "#1 SMP Debian", "x86_64"}, {"xfs", "/dev/loop0", "/data", "rw,relatime"},
                    {"cgroup2", "/sys/fs/cgroup/run-1", ""});
  publish_events();
}

std::vector<std::int64_t> FakeDaemon::finish_run(std::int64_t id, Verdict verdict,
                                                 const std::vector<Finding>& findings) {
  const std::lock_guard lock(mutex_);
  const auto now_ms = to_unix_ms(clock_.now());
  const storage::RunRow& row = added_.at(id);
  RunResult result;
  result.kernel = {"6.1.170", "#1 SMP Debian", "x86_64"};
  result.filesystem = {"xfs", "/dev/loop0", "/data", "rw,relatime"};
  result.pressure = {"cgroup2", "/sys/fs/cgroup/run-1", ""};
  result.profile = row.result.profile;
  result.seed = row.result.seed;
  result.end.verdict = verdict;
  result.end.reason = "because";
  result.end.counters.writes = 100;
  result.end.counters.exposures = 99;
  result.end.counters.bytes_written = 4096;
  result.end.duration_seconds = 1.5;
  if (!findings.empty()) result.end.first_finding_seconds = 0.02;
  for (const auto& finding : findings) result.end.tally.add(finding.kind, finding.length_bytes);
  result.findings = findings;
  auto ids = store_->finish_run(id, result, now_ms);
  metrics_.on_run_finished(row.target, result, now_ms);
  metrics_.set_open_incidents(store_->open_incidents());
  publish_events();
  return ids;
}

std::int64_t FakeDaemon::run_once(const std::string& target, const std::string& profile, Verdict verdict,
                                  const std::vector<Finding>& findings) {
  const auto id = add_run(target, profile);
  start_run(id);
  finish_run(id, verdict, findings);
  return id;
}

void FakeDaemon::publish_progress(std::int64_t id) {
  hub_.publish({0, std::nullopt, "run.progress", id, json{{"run_id", id}, {"fraction", 0.5}}.dump()});
}

void FakeDaemon::change_live(const std::function<void(LiveState&)>& change) {
  auto state = std::make_shared<LiveState>(*board_.get());
  change(*state);
  board_.publish(std::move(state));
}

std::vector<storage::IncidentRow> FakeDaemon::open_incidents() {
  const std::lock_guard lock(mutex_);
  return store_->open_incidents();
}

std::vector<storage::TotalsRow> FakeDaemon::totals_of_kernel(const std::string& release) {
  const std::lock_guard lock(mutex_);
  return store_->totals_of_kernel(release);
}

std::optional<Command> FakeDaemon::last_command() const {
  const std::lock_guard lock(mutex_);
  return last_command_;
}

Caller FakeDaemon::last_caller() const {
  const std::lock_guard lock(mutex_);
  return last_caller_;
}

std::vector<std::pair<Caller, RefusedChange>> FakeDaemon::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

void FakeDaemon::publish_events() {
  for (const auto& row : store_->events_after(published_id_, 100'000)) {
    hub_.publish({0, row.id, row.type, row.run_id, row.data_json});
    published_id_ = row.id;
  }
}

Finding duplicate_finding() {
  Finding finding;
  finding.kind = FindingKind::kDuplicate;
  finding.file = "run-1-0.bin";
  finding.offset_bytes = 528'384;
  finding.length_bytes = 8192;
  finding.source_offset_bytes = 520'192;
  finding.page_aligned = true;
  finding.write = WriteRef{3, 0, 520'192, 262'144, Route::kPunted, 262'144, 8192};
  finding.context_offset_bytes = 528'376;
  finding.expected_hex = "000102030405060708090a0b0c0d0e0f";
  finding.found_hex = "0001020304050607f8f9fafbfcfdfeff";
  finding.detail = "8192 bytes of offset 520192 stand again at 528384";
  return finding;
}

Catalogue test_catalogue() {
  ProfileInfo append;
  append.name = "append";
  append.title = "Appends through io_uring";
  append.description = "Appends to one file";
  append.role = "detector";
  append.oracle = "the file holds each write once";
  append.exposure = "a punted write";
  append.needs_io_uring = true;
  append.options = {{"write_bytes", "Size of a write", "bytes", 4096, 1'048'576, 262'144}};
  append.references = {"https://www.kernel.org"};
  ProfileInfo contract = append;
  contract.name = "nowait-contract";
  contract.needs_io_uring = false;
  return {append, contract};
}

ApiTest::ApiTest(const std::string& listen, AccessRules rules)
    : server({listen, directory.path() + "/evidence",
              [this](const std::string& line) {
                const std::lock_guard lock(log_mutex);
                log.push_back(line);
              },
              std::make_shared<const Access>(std::move(rules))},
             {reader, daemon, board, hub, metrics, catalogue, clock}) {
  server.start();
}

ApiTest::~ApiTest() {
  hub.close();
  server.stop();
}

int ApiTest::port() const { return std::stoi(server.url().substr(server.url().rfind(':') + 1)); }

httplib::Client ApiTest::client() const {
  httplib::Client http("127.0.0.1", port());
  http.set_read_timeout(kPatience);  // only a hang takes so long, also on a machine that is busy
  return http;
}

json ApiTest::get(const std::string& path, int status) const {
  auto http = client();
  const auto answer = http.Get(path);
  if (!answer) throw std::runtime_error("GET " + path + ": " + httplib::to_string(answer.error()));
  EXPECT_EQ(answer->status, status) << path << ": " << answer->body;
  return json::parse(answer->body);
}

json ApiTest::post(const std::string& path, const json& body, int status) const {
  auto http = client();
  const auto answer = http.Post(path, body.dump(), "application/json");
  if (!answer) throw std::runtime_error("POST " + path + ": " + httplib::to_string(answer.error()));
  EXPECT_EQ(answer->status, status) << path << ": " << answer->body;
  return json::parse(answer->body);
}

}  // namespace writecanary::api::test
