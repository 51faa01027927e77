// Filters of listings as SQL. Whatever is combined, the rows come from an index in descending id order, so that a page
// costs about as much in a file of a million runs as in an empty one.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "storage/tables/records.h"

namespace writecanary::storage {

struct Query {
  std::string sql;
  std::vector<std::variant<std::int64_t, std::string>> values;

  SQLite::Statement prepare(const SQLite::Database& database) const;
};

// For run_of and finding_of (storage/tables/rows.h). A limit below zero counts as zero.
Query runs_query(const RunFilter& filter);
Query findings_query(const FindingFilter& filter);

}  // namespace writecanary::storage
