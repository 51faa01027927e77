#include "cli/terminal/table.h"

#include <algorithm>

#include "core/base/error.h"

namespace writecanary::cli {
namespace {

constexpr std::size_t kGap = 2;

// Padding goes outside of the escape sequences, and trailing blanks are never written.
std::string padded(const Cell& cell, std::size_t width, bool right, bool last, bool colour) {
  const std::string text = shorten(cell.text, width);
  const std::string fill(width - display_width(text), ' ');
  const std::string shown = text.empty() ? text : styled(text, cell.style, colour);
  if (right) return fill + shown;
  return last ? shown : shown + fill;
}

}  // namespace

void Table::add(std::vector<Cell> row) {
  WC_CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths(int limit) const {
  std::vector<std::size_t> result;
  std::size_t used = 0;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    std::size_t width = display_width(columns_[column].heading);
    for (const auto& row : rows_) width = std::max(width, display_width(row[column].text));
    result.push_back(width);
    used += width + (column == 0 ? 0 : kGap);
  }
  if (limit > 0 && used > static_cast<std::size_t>(limit)) {
    const std::size_t others = used - result.back();
    const std::size_t room = static_cast<std::size_t>(limit) > others ? static_cast<std::size_t>(limit) - others : 0;
    result.back() = std::max(display_width(columns_.back().heading), room);
  }
  return result;
}

std::string Table::render(int width, bool colour) const {
  const std::vector<std::size_t> column_widths = widths(width);
  std::string result;
  const auto append_line = [&](const std::vector<Cell>& cells) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column > 0) line.append(kGap, ' ');
      line += padded(cells[column], column_widths[column], columns_[column].right, column + 1 == cells.size(), colour);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  };

  std::vector<Cell> headings;
  for (const Column& column : columns_) headings.emplace_back(column.heading, Style::kDim);
  append_line(headings);
  for (const auto& row : rows_) append_line(row);
  return result;
}

}  // namespace writecanary::cli
