#include "cli/terminal/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/terminal/text.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

constexpr std::size_t kBarColumns = 20;

std::string bar(double fraction) {
  const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * kBarColumns);
  return fmt::format("[{}{}] {:3.0f}%", std::string(filled, '#'), std::string(kBarColumns - filled, '.'),
                     std::clamp(fraction, 0.0, 1.0) * 100);
}

}  // namespace

std::string progress_line(const std::string& label, const Progress& progress, int width) {
  const RunCounters& counters = progress.counters;
  const double rate =
      progress.elapsed_seconds > 0 ? static_cast<double>(counters.bytes_written) / progress.elapsed_seconds : 0;
  struct Field {
    std::string text;
    int rank;  // what is left out first has the highest
  };
  const std::vector<Field> fields = {
      {bar(progress.fraction), 3},
      {plural(counters.writes, "write"), 1},
      {plural(counters.exposures, "exposure"), 2},
      {format_size(counters.bytes_written), 5},
      {plural(progress.tally.total(), "finding"), 0},
      {format_size(static_cast<std::uint64_t>(rate)) + "/s", 6},
      {format_seconds(progress.elapsed_seconds), 4},
  };
  for (int rank_limit = static_cast<int>(fields.size()) - 1; rank_limit >= 0; --rank_limit) {
    std::string line = label;
    for (const Field& field : fields) {
      if (field.rank <= rank_limit) line += "  " + field.text;
    }
    if (display_width(line) <= static_cast<std::size_t>(width)) return line;
  }
  return shorten(label, static_cast<std::size_t>(width));
}

void ProgressBar::update(const std::string& label, const Progress& progress) {
  if (!environment_.err_is_terminal) return;
  // One column less than there are: a full line would wrap on some terminals.
  drawn_ = progress_line(label, progress, std::max(environment_.columns - 1, 0));
  environment_.err << '\r' << drawn_ << "\x1b[K" << std::flush;
}

void ProgressBar::note(const std::string& text) {
  const std::string bar_text = drawn_;
  clear();
  environment_.err << text << '\n' << std::flush;
  if (bar_text.empty()) return;
  drawn_ = bar_text;
  environment_.err << drawn_ << std::flush;
}

void ProgressBar::clear() {
  if (drawn_.empty()) return;
  drawn_.clear();
  environment_.err << "\r\x1b[K" << std::flush;
}

}  // namespace writecanary::cli
