#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string_view>

#include "cli/app.h"
#include "core/host/own_libraries.h"
#include "core/run/seed.h"

namespace {

int terminal_columns() {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

// https://no-color.org
bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

int main(int argc, char** argv) {
  writecanary::adapt_to_host();
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond RLIMIT_FSIZE is an error of the write then, and not the end
  const writecanary::SystemClock clock;
  std::random_device random;
  writecanary::cli::Environment environment{.out = std::cout, .err = std::cerr, .clock = clock};
  environment.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  environment.err_is_terminal = isatty(STDERR_FILENO) == 1;
  environment.colour = environment.out_is_terminal && wants_colour();
  environment.columns = terminal_columns();
  environment.command_line.assign(argv, argv + argc);
  environment.random_seed = ((static_cast<std::uint64_t>(random()) << 32) | random()) & writecanary::kDrawnSeedMax;

  const int exit_code = writecanary::cli::run_command_line(environment, {argv + std::min(argc, 1), argv + argc});
  // A result that could not be written (disk full, broken pipe) is not a result.
  std::cout.flush();
  return std::cout ? exit_code : writecanary::cli::kExitFailed;
}
