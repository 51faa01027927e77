// The part of core/process/probe_process.h that finds the probe and asks it for its catalogue.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/process/probe_process.h"
#include "core/run/protocol.h"

namespace writecanary {
namespace {

// Printing a table takes milliseconds, on a loaded machine perhaps a second.
constexpr std::chrono::seconds kCatalogueTimeout{5};
// The catalogue has a few KiB, the findings of a file a few hundred.
constexpr std::size_t kOutputBytesMax = 1 << 20;

// True when the descriptor can be read, or has ended, before the deadline.
bool wait_readable(int fd, SteadyTime deadline) {
  const SystemClock clock;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.steady());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) throw_errno("poll");
  }
}

// All that the process prints. Throws SystemError when it has not ended in time or prints too much.
std::string read_output(const ProbeProcess& process, std::chrono::seconds timeout, const std::string& tried) {
  const SteadyTime deadline = SystemClock().steady() + timeout;
  std::string text;
  std::array<char, 8192> chunk;
  while (wait_readable(process.events_fd(), deadline)) {
    const ssize_t got = read(process.events_fd(), chunk.data(), chunk.size());
    if (got == 0) {
      if (!wait_readable(process.pid_fd(), deadline)) break;
      return text;
    }
    if (got < 0 && errno != EINTR && errno != EAGAIN) throw_errno(tried);
    if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kOutputBytesMax) throw SystemError(tried + ": output beyond 1 MiB", EFBIG);
  }
  throw SystemError(fmt::format("{}: no end after {} s", tried, timeout.count()), ETIMEDOUT);
}

// What an ended process said on stderr, without the last line break.
std::string last_words(const ProbeProcess& process) {
  std::array<char, 4096> text;
  const ssize_t got = read(process.stderr_fd(), text.data(), text.size());
  std::string words(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  while (words.ends_with('\n')) words.pop_back();
  return words;
}

}  // namespace

std::string sibling_program(const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return name;
  const std::filesystem::path folder = self.parent_path();
  for (const auto& path : {folder / name, folder.parent_path() / "libexec/writecanary" / name}) {
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return name;
}

std::string probe_output(const std::string& program, const std::vector<std::string>& arguments,
                         std::chrono::seconds timeout) {
  const std::string tried = fmt::format("{} {}", program, fmt::join(arguments, " "));
  ProbeProcess process = ProbeProcess::start(program, arguments, "", nullptr, false);
  std::string text;
  try {
    text = read_output(process, timeout, tried);
  } catch (const SystemError&) {
    process.signal(SIGKILL);
    process.wait();
    throw;
  }
  if (const int status = process.wait(); status != 0) {
    const std::string said = last_words(process);
    throw ProtocolError(fmt::format("{}: {}{}{}", tried, describe_wait_status(status), said.empty() ? "" : ": ", said));
  }
  return text;
}

Catalogue load_catalogue(const std::string& program) {
  const nlohmann::json catalogue =
      nlohmann::json::parse(probe_output(program, {"--catalogue"}, kCatalogueTimeout), nullptr, false);
  if (!catalogue.is_array()) throw ProtocolError(program + " --catalogue: the output is not a JSON list of profiles");
  return catalogue.get<Catalogue>();
}

}  // namespace writecanary
