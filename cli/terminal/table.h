// An aligned table: headings, cells, two blanks between columns. The last column gives way when the terminal is narrow.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "cli/terminal/text.h"

namespace writecanary::cli {

struct Column {
  std::string heading;
  bool right = false;  // figures
};

struct Cell {
  // Not explicit: most cells are just text.
  Cell(const std::string& cell_text, Style cell_style = Style::kPlain)
      : text(printable(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : Cell(std::string(cell_text)) {}

  std::string text;
  Style style;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column.
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }

  // With `width` > 0 the last column is shortened to fit, but not below its heading. Ends with a newline.
  std::string render(int width, bool colour) const;

 private:
  std::vector<std::size_t> widths(int limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace writecanary::cli
