#include "tests/unit/cli/support.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace writecanary::cli {

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

FakeProbe::FakeProbe(const TemporaryDirectory& directory, const Catalogue& catalogue, const std::string& script) {
  write_file(directory / "catalogue.json", nlohmann::json(catalogue).dump());
  const std::string program = directory / "probe";
  write_file(program,
             "#!/bin/sh\n"
             "cd '" +
                 directory.path() +
                 "'\n"
                 "say() { sed \"s/@ID@/$id/\" \"$1\"; }\n"
                 "if [ \"$1\" = --catalogue ]; then say catalogue.json; exit 0; fi\n"
                 "cat > spec.json\n"
                 "id=$(sed 's/.*\"run_id\":\"\\([^\"]*\\)\".*/\\1/' spec.json)\n" +
                 script + "\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  setenv("WRITECANARY_PROBE", program.c_str(), 1);
}

FakeProbe::~FakeProbe() { unsetenv("WRITECANARY_PROBE"); }

Catalogue small_catalogue() {
  ProfileInfo append;
  append.name = "append";
  append.title = "Appends";
  append.description = "Appends through io_uring";
  append.role = "detector";
  append.options = {{"size", "Size of a write", "bytes", 8, 4096, 512}};
  ProfileInfo offset = append;
  offset.name = "offset";
  offset.options.clear();
  return {append, offset};
}

std::string lines_of(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) text += encode(event) + "\n";
  return text;
}

Hello sample_hello() {
  Hello hello;
  hello.probe_version = "0";
  hello.run_id = "@ID@";
  hello.profile = "append";
  hello.kernel = {"6.1.0", "#1 SMP", "x86_64"};
  hello.filesystem.type = "xfs";
  hello.filesystem.source = "/dev/vda";
  hello.filesystem.mount_point = "/data";
  hello.filesystem.options = "rw";
  hello.pressure = {"cgroup2", "/sys/fs/cgroup/x", ""};
  return hello;
}

RunEnd sample_end(Verdict verdict) {
  RunEnd end;
  end.verdict = verdict;
  end.reason = "500 of 500 writes were exposed";
  end.counters.writes = 500;
  end.counters.exposures = 499;
  end.counters.bytes_written = 1 << 20;
  end.duration_seconds = 1.25;
  return end;
}

Finding sample_finding(FindingKind kind, std::uint64_t offset_bytes) {
  Finding finding;
  finding.kind = kind;
  finding.file = "f-0";
  finding.offset_bytes = offset_bytes;
  finding.length_bytes = 8192;
  finding.source_offset_bytes = 4096;
  finding.page_aligned = true;
  finding.write = WriteRef{12, 3, 0, 262144, Route::kPunted, 262144, 8192};
  finding.detail = "8,192 bytes stand twice";
  return finding;
}

TestDaemon::TestDaemon(const Routes& routes, const std::string& socket_path) {
  routes(server_);
  if (socket_path.empty()) {
    url_ = "http://127.0.0.1:" + std::to_string(server_.bind_to_any_port("127.0.0.1"));
  } else {
    server_.set_address_family(AF_UNIX).bind_to_port(socket_path, 80);
    url_ = "unix:" + socket_path;
  }
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  while (!server_.is_running()) std::this_thread::yield();  // stop() before that would be forgotten
}

TestDaemon::~TestDaemon() {
  server_.stop();
  thread_.join();
}

}  // namespace writecanary::cli
