// What a command gets from outside: where it prints, what kind of place that is, the time, a random number. main()
// fills it from the process, tests fill it with their own.
#pragma once

#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace writecanary::cli {

struct Environment {
  std::ostream& out;  // results
  std::ostream& err;  // progress and messages
  const Clock& clock;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;                         // only ever with out_is_terminal
  int columns = 80;                            // of the terminal
  std::uint64_t random_seed = 0;               // for a check that is given none
  std::vector<std::string> command_line = {};  // as it was typed, for advice that repeats it; may be empty

  // Width that results are fitted to; 0: whole, because something else than a person reads them.
  int out_columns() const { return out_is_terminal ? columns : 0; }
};

inline constexpr int kExitUsage = 1;   // usage or configuration
inline constexpr int kExitFailed = 5;  // failed to run, daemon unreachable

// Ends the command with this text on stderr and this exit code.
class CommandError : public std::runtime_error {
 public:
  CommandError(int exit_code, const std::string& text) : std::runtime_error(text), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

struct UsageError : CommandError {
  explicit UsageError(const std::string& text) : CommandError(kExitUsage, text) {}
};

}  // namespace writecanary::cli
