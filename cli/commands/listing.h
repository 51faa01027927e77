// Listings of the API as tables.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/commands/commands.h"
#include "cli/commands/fields.h"
#include "cli/terminal/table.h"

namespace writecanary::cli {

// The path with the filter as its query.
std::string query_path(const std::string& path, const Filter& filter);

// Prints the document itself, or the table that `add` fills with one row per item.
template <typename AddRow>
int show_list(const Environment& environment, const std::string& body, bool json, Table table, const std::string& none,
              AddRow add) {
  if (json) {
    environment.out << body << '\n';
    return 0;
  }
  const nlohmann::json document = parse_answer(body);
  for (const nlohmann::json& item : inner(document, "items")) add(table, item);
  environment.out << (table.empty() ? none + "\n" : table.render(environment.out_columns(), environment.colour));
  if (const std::string cursor = text_field(document, "next_cursor"); !cursor.empty()) {
    environment.err << "There are more: add --cursor " << printable(cursor) << '\n';
  }
  return 0;
}

}  // namespace writecanary::cli
