// Child processes: ordinary programs of the system stand in for the probe.
#include "core/process/probe_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <thread>

#include "core/base/error.h"
#include "core/process/child.h"
#include "core/run/protocol.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Everything that comes out of a non-blocking descriptor until its end.
std::string drain(int fd) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    pollfd waiting{fd, POLLIN, 0};
    poll(&waiting, 1, -1);
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got == 0) return text;
    if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno != EAGAIN && errno != EINTR) throw_errno("read");
  }
}

ProbeProcess shell(const std::string& script, const std::string& input = "") {
  return ProbeProcess::start("/bin/sh", {"-c", script}, input, nullptr, false);
}

std::string output_of(const std::string& script) {
  ProbeProcess process = shell(script);
  std::string text = drain(process.events_fd());
  EXPECT_EQ(process.wait(), 0) << drain(process.stderr_fd());
  return text;
}

TEST(ProbeProcess, CarriesInputOutputAndStatus) {
  ProbeProcess process = shell("cat; echo problem >&2; exit 3", "spec\n");
  EXPECT_GT(process.pid(), 0);
  EXPECT_EQ(drain(process.events_fd()), "spec\n");
  EXPECT_EQ(drain(process.stderr_fd()), "problem\n");
  const int status = process.wait();
  EXPECT_EQ(describe_wait_status(status), "exit code 3");
  EXPECT_EQ(process.wait(), status) << "the value is kept";
  EXPECT_EQ(process.try_wait(), status);
  EXPECT_NO_THROW(process.signal(SIGTERM)) << "to nobody, not to a process that got the number since";
}

TEST(ProbeProcess, InputMayBeLargerThanAPipe) {
  ProbeProcess process = shell("wc -c", std::string(1 << 20, 'x'));
  EXPECT_EQ(drain(process.events_fd()), "1048576\n");
  EXPECT_EQ(process.wait(), 0);
}

TEST(ProbeProcess, ArgumentsArriveAsTheyAre) {
  ProbeProcess process = ProbeProcess::start("/bin/echo", {"a b", "", "$HOME"}, "", nullptr, false);
  EXPECT_EQ(drain(process.events_fd()), "a b  $HOME\n");
  process.wait();
}

TEST(ProbeProcess, PipesAreNonBlocking) {
  ProbeProcess process = shell("read unused; exec sleep 600");
  std::array<char, 16> chunk;
  EXPECT_EQ(read(process.events_fd(), chunk.data(), chunk.size()), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(read(process.stderr_fd(), chunk.data(), chunk.size()), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(process.try_wait(), std::nullopt);
  process.signal(SIGKILL);
  EXPECT_EQ(describe_wait_status(process.wait()), "killed by SIGKILL");
}

TEST(ProbeProcess, EndShowsOnThePidFd) {
  ProbeProcess process = shell("read unused");
  pollfd ended{process.pid_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&ended, 1, -1), 1);
  EXPECT_EQ(process.try_wait().has_value(), true);
}

TEST(ProbeProcess, ProgramThatDoesNotExistIsNamed) {
  EXPECT_THAT([] { ProbeProcess::start("/no/such/probe", {}, "", nullptr, false); },
              ThrowsMessage<SystemError>("start /no/such/probe: exec: No such file or directory (ENOENT)"));
  EXPECT_THAT([] { ProbeProcess::start("/etc/passwd", {}, "", nullptr, true); },
              ThrowsMessage<SystemError>("start /etc/passwd: exec: Permission denied (EACCES)"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "the child that failed was not reaped";
  EXPECT_EQ(errno, ECHILD);
}

TEST(ProbeProcess, NameWithoutSlashIsLookedUpInPath) {
  ProbeProcess process = ProbeProcess::start("true", {}, "", nullptr, true);
  EXPECT_EQ(process.wait(), 0);
  EXPECT_EQ(process.stderr_fd(), -1);
}

TEST(ProbeProcess, RunsInItsCgroup) {
  const CgroupRoot root = prepare_cgroup_root();
  if (root.version == 0) GTEST_SKIP() << root.reason;
  const std::string name = "writecanary-test-" + std::to_string(getpid()) + "-placed";
  const Cgroup cgroup = Cgroup::create(root, name, 32ULL << 20);
  ProbeProcess process = ProbeProcess::start("/bin/cat", {"/proc/self/cgroup"}, "", &cgroup, false);
  EXPECT_THAT(drain(process.events_fd()), HasSubstr("/" + name + "\n"));
  EXPECT_EQ(process.wait(), 0);
}

TEST(ProbeProcess, CgroupThatIsGoneIsNamed) {
  const CgroupRoot root = prepare_cgroup_root();
  if (root.version == 0) GTEST_SKIP() << root.reason;
  const Cgroup cgroup = Cgroup::create(root, "writecanary-test-" + std::to_string(getpid()) + "-gone", 32ULL << 20);
  ASSERT_EQ(rmdir(cgroup.directory().c_str()), 0);
  EXPECT_THAT([&] { ProbeProcess::start("/bin/true", {}, "", &cgroup, true); },
              ThrowsMessage<SystemError>("open " + cgroup.procs_file() + ": No such file or directory (ENOENT)"));
}

TEST(ProbeProcess, HasAProcessGroupOfItsOwn) {
  ProbeProcess process = shell("exec sleep 600");
  EXPECT_EQ(getpgid(process.pid()), process.pid());
  process.signal(SIGTERM);
  EXPECT_EQ(describe_wait_status(process.wait()), "killed by SIGTERM");
}

TEST(ProbeProcess, DiesWithTheThreadThatStartedIt) {
  std::optional<ProbeProcess> process;
  std::thread([&] { process = ProbeProcess::start("/bin/sleep", {"600"}, "", nullptr, true); }).join();
  EXPECT_EQ(describe_wait_status(process->wait()), "killed by SIGTERM");
}

TEST(ProbeProcess, SignalsAreAsIfNobodyHadTouchedThem) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD, SIGHUP, SIGRTMIN}) sigaddset(&blocked, number);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  const auto pipe_before = std::signal(SIGPIPE, SIG_IGN);
  const auto user_before = std::signal(SIGUSR1, SIG_IGN);
  const std::string status = output_of("exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &before, &after);
  std::signal(SIGPIPE, pipe_before);
  std::signal(SIGUSR1, user_before);
  EXPECT_EQ(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_TRUE(sigismember(&after, SIGTERM)) << "the parent's own mask must be as before";
  EXPECT_FALSE(sigismember(&after, SIGUSR2));
}

TEST(ProbeProcess, GetsNoDescriptorsButTheStandardOnes) {
  const Fd leaked{open("/dev/null", O_RDONLY)};  // without O_CLOEXEC
  const Fd high{fcntl(leaked.get(), F_DUPFD, 500)};
  ASSERT_TRUE(leaked && high);
  EXPECT_EQ(output_of("exec ls /proc/self/fd"), "0\n1\n2\n3\n") << "3 is the directory that ls reads";
}

TEST(ProbeProcess, WorksWhenTheParentHasNoStandardDescriptors) {
  // In a child, because this test needs its own ones.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (const int fd : {0, 1, 2}) close(fd);
    ProbeProcess process = shell("cat; echo e >&2", "spec");
    const bool good =
        drain(process.events_fd()) == "spec" && drain(process.stderr_fd()) == "e\n" && process.wait() == 0;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// What become_child reports when the plan cannot be carried out.
ChildFailure failure_of(ChildPlan plan) {
  std::array<int, 2> report{};
  if (pipe2(report.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  const Fd read_end{report[0]};
  Fd write_end{report[1]};
  plan.report_fd = write_end.get();
  const pid_t child = fork();
  if (child == 0) become_child(plan);
  write_end.reset();
  ChildFailure failure;
  EXPECT_EQ(read(read_end.get(), &failure, sizeof failure), static_cast<ssize_t>(sizeof failure));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(describe_wait_status(status), "exit code 127");
  return failure;
}

TEST(Child, ReportsTheStepThatFailed) {
  const Fd null = open_file("/dev/null", O_RDWR);
  const Fd read_only = open_file("/dev/null", O_RDONLY);
  std::array<char, 9> program{"/no/such"};
  std::array<char*, 2> argv{program.data(), nullptr};
  ChildPlan plan{.argv = argv.data(), .parent = getpid(), .input_fd = null.get(), .events_fd = null.get()};
  EXPECT_EQ(failure_of(plan).step, ChildStep::kExec);
  plan.procs_fd = read_only.get();
  EXPECT_EQ(failure_of(plan).step, ChildStep::kEnterCgroup);
  EXPECT_EQ(failure_of(plan).error_number, EBADF);
  plan.procs_fd = -1;
  plan.events_fd = 1'000'000;
  EXPECT_EQ(failure_of(plan).step, ChildStep::kDescriptors);
  plan.parent = 1;  // not the parent of the child: as if ours had died and it had been adopted
  EXPECT_EQ(failure_of(plan).step, ChildStep::kParentDeath);
}

TEST(WaitStatus, InWords) {
  EXPECT_EQ(describe_wait_status(W_EXITCODE(0, 0)), "exit code 0");
  EXPECT_EQ(describe_wait_status(W_EXITCODE(3, 0)), "exit code 3");
  EXPECT_EQ(describe_wait_status(W_EXITCODE(0, SIGSEGV)), "killed by SIGSEGV");
  EXPECT_EQ(describe_wait_status(W_EXITCODE(0, SIGABRT) | WCOREFLAG), "killed by SIGABRT (core dumped)");
  EXPECT_EQ(describe_wait_status(W_EXITCODE(0, 40)), "killed by signal 40");
}

TEST(SiblingProgram, IsBesideThisOneOrLeftToPath) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_EQ(sibling_program(self.filename()), self);
  EXPECT_EQ(sibling_program("no-such-program"), "no-such-program");
}

class LoadCatalogue : public testing::Test {
 protected:
  // A program that runs these lines of shell.
  std::string program(const std::string& script) const {
    std::string path = directory_.write("probe", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  TemporaryDirectory directory_;
};

TEST_F(LoadCatalogue, ReadsWhatTheProgramPrints) {
  const Catalogue catalogue = load_catalogue(program(R"([ "$1" = --catalogue ] && cat <<'END'
[{"name": "append", "title": "t", "description": "d", "role": "detector", "oracle": "o", "exposure": "e",
  "needs_io_uring": true, "variants": [], "options": [], "references": []}]
END)"));
  ASSERT_EQ(catalogue.size(), 1U);
  EXPECT_EQ(catalogue[0].name, "append");
  EXPECT_TRUE(load_catalogue(program("echo []")).empty());
}

TEST_F(LoadCatalogue, NamesWhatIsWrong) {
  const std::string tried = (directory_ / "probe") + " --catalogue: ";
  const std::pair<const char*, std::string> cases[] = {
      {"exit 3", tried + "exit code 3"},
      {"kill -KILL $$", tried + "killed by SIGKILL"},
      {"echo hello", tried + "the output is not a JSON list of profiles"},
      {"echo '{}'", tried + "the output is not a JSON list of profiles"},
      {R"(echo '[{"name": 1}]')", "profile: name: expected a string, got 1"},
  };
  for (const auto& [script, error] : cases) {
    const std::string path = program(script);
    EXPECT_THAT([&] { load_catalogue(path); }, ThrowsMessage<ProtocolError>(error));
  }
}

TEST_F(LoadCatalogue, EndlessOutputIsCutOff) {
  EXPECT_THAT([&] { load_catalogue(program("exec cat /dev/zero")); },
              ThrowsMessage<SystemError>(HasSubstr("--catalogue: output beyond 1 MiB")));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(LoadCatalogue, GivesUpOnAProgramThatDoesNotEnd) {
  EXPECT_THAT([&] { load_catalogue(program("echo []; exec sleep 600 >&-")); },
              ThrowsMessage<SystemError>(HasSubstr("--catalogue: no end after 5 s")));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace writecanary
