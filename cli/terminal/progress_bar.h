// One line on the terminal that shows how a run goes on. Nothing is drawn where stderr is not a terminal.
#pragma once

#include <string>

#include "cli/terminal/environment.h"
#include "core/run/protocol.h"

namespace writecanary::cli {

// `append [######......] 45%  1,234 writes  1,200 exposures  310 MiB  0 findings  62 MiB/s  4.5 s`, at most `width`
// columns: fields that do not fit are left out, the least important first.
std::string progress_line(const std::string& label, const Progress& progress, int width);

class ProgressBar {
 public:
  // The environment must outlive it.
  explicit ProgressBar(const Environment& environment) : environment_(environment) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(const std::string& label, const Progress& progress);
  // A line of text that stays, above the bar; also without a terminal.
  void note(const std::string& text);
  // Takes the bar off the screen.
  void clear();

 private:
  const Environment& environment_;
  std::string drawn_;
};

}  // namespace writecanary::cli
