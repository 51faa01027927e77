// What the command line's tests share: an environment that prints into strings, a clock that stands still, a temporary
// directory, a fake probe (a shell script that says what it is told to say), an HTTP server that answers as a daemon.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/terminal/environment.h"
#include "core/run/profile_info.h"
#include "core/run/protocol.h"
#include "tests/unit/http.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::cli {

// The wall clock stands still at 2026-06-04T14:46:33Z; the other one goes on, because deadlines are real.
class FixedWallClock final : public Clock {
 public:
  SystemTime now() const override { return from_unix_ms(1'780'584'393'000); }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

struct TestEnvironment {
  std::ostringstream out, err;
  FixedWallClock clock;
  Environment environment{.out = out, .err = err, .clock = clock, .random_seed = 77};
};

void write_file(const std::string& path, const std::string& text);

// Stands for writecanary-probe while it lives (WRITECANARY_PROBE). `--catalogue` prints the given one; a run stores its
// spec as <directory>/spec.json and then does what `script` (sh) says, in which `say FILE` prints a prepared file with
// the run's id for @ID@.
class FakeProbe {
 public:
  FakeProbe(const TemporaryDirectory& directory, const Catalogue& catalogue, const std::string& script);
  ~FakeProbe();
  FakeProbe(const FakeProbe&) = delete;
  FakeProbe& operator=(const FakeProbe&) = delete;
};

// Two profiles, append with an option.
Catalogue small_catalogue();
// The events as the probe would print them.
std::string lines_of(const std::vector<Event>& events);
Hello sample_hello();
RunEnd sample_end(Verdict verdict);
Finding sample_finding(FindingKind kind, std::uint64_t offset_bytes);

// Serves on a free port, or on a unix socket, until it goes out of scope.
class TestDaemon {
 public:
  using Routes = std::function<void(httplib::Server&)>;
  explicit TestDaemon(const Routes& routes, const std::string& socket_path = {});
  ~TestDaemon();
  TestDaemon(const TestDaemon&) = delete;
  TestDaemon& operator=(const TestDaemon&) = delete;
  const std::string& url() const { return url_; }

 private:
  httplib::Server server_;
  std::string url_;
  std::thread thread_;
};

}  // namespace writecanary::cli
