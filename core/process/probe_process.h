// A probe as a child process: started inside its cgroup with its spec on stdin, its events on a pipe.
//
// Used by the daemon's supervisor and by `writecanary check`. It moves bytes and signals and judges nothing. The child
// gets SIGTERM when the thread that started it dies (PR_SET_PDEATHSIG), its own process group, and nothing of the
// parent's descriptors but the three standard ones.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/host/cgroup.h"
#include "core/run/profile_info.h"
#include "core/run/run_spec.h"

namespace writecanary {

class ProbeProcess {
 public:
  // Starts `program` with the arguments; writes `input` to its stdin and closes it. With a cgroup the child enters it
  // before exec. stdout comes back on events_fd (non-blocking), stderr on stderr_fd (non-blocking), or is inherited
  // when inherit_stderr. Throws SystemError.
  static ProbeProcess start(const std::string& program, const std::vector<std::string>& arguments,
                            const std::string& input, const Cgroup* cgroup, bool inherit_stderr);

  pid_t pid() const { return pid_; }
  int pid_fd() const { return pid_fd_.get(); }
  int events_fd() const { return events_.get(); }
  int stderr_fd() const { return stderr_.get(); }

  // To the probe alone; SIGTERM asks it to stop, remove its files and say `run_end`.
  void signal(int number) const;
  // The wait status once it has ended, nothing while it runs. Reaps at most once; the value is kept.
  std::optional<int> try_wait();
  // Blocks until it has ended.
  int wait();

 private:
  pid_t pid_ = -1;
  Fd pid_fd_, events_, stderr_;
  std::optional<int> status_;
};

// "exit code 3", "killed by SIGKILL": a wait status in words.
std::string describe_wait_status(int status);

// The program `name` beside the running executable, or in PATH order of installation (../libexec/writecanary, then
// name itself for execvp). Returns a path.
std::string sibling_program(const std::string& name);

// Runs the program with the arguments, which make it print something and end, and returns its stdout. Throws
// SystemError, also when it takes longer than the timeout, and ProtocolError when it does not exit with 0: with what it
// said on stderr.
std::string probe_output(const std::string& program, const std::vector<std::string>& arguments,
                         std::chrono::seconds timeout);

// Runs `program --catalogue` and parses it. Throws SystemError or ProtocolError; gives up after a few seconds.
Catalogue load_catalogue(const std::string& program);

}  // namespace writecanary
