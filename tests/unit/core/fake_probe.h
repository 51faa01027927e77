// A probe that is a shell script, to speak the protocol well or badly as a test wants.
#pragma once

#include <sys/stat.h>

#include <string>

#include "core/run/protocol.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {

// The script's lines as shell commands. `say_hello`, `say_progress`, `say_finding` and `say_end` print right events;
// $id is the run's id.
inline std::string make_fake_probe(const TemporaryDirectory& directory, const std::string& name,
                                   const std::string& body) {
  Hello hello;
  hello.run_id = "@ID@";
  hello.profile = "append";
  hello.kernel.release = "6.1.0-fake";
  hello.filesystem.type = "xfs";
  hello.pressure.backend = "none";
  Progress progress;
  progress.counters.writes = 5;
  FindingEvent finding;
  finding.finding.kind = FindingKind::kDuplicate;
  finding.finding.length_bytes = 4096;
  RunEnd end;
  end.verdict = Verdict::kClean;
  end.reason = "5 exposures";
  end.counters.writes = 5;
  end.counters.bytes_written = 1000;
  RunEnd stopped = end;
  stopped.verdict = Verdict::kStopped;
  stopped.reason = "told to";
  const auto function = [](const std::string& function_name, const Event& event) {
    return function_name + "() { printf '%s\\n' '" + encode(event) + "' | sed \"s/@ID@/$id/\"; }\n";
  };
  auto file = directory.write(name, "#!/bin/sh\nid=$(sed 's/.*\"run_id\":\"\\([^\"]*\\)\".*/\\1/')\n" +
                                        function("say_hello", hello) + function("say_progress", progress) +
                                        function("say_finding", finding) + function("say_end", end) +
                                        function("say_stopped", stopped) + body + "\n");
  ::chmod(file.c_str(), 0755);
  return file;
}

}  // namespace writecanary
