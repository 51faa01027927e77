#include "storage/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "storage/columns.h"
#include "storage/rows.h"

namespace writecanary::storage {

namespace {

class QueryBuilder {
 public:
  // The upper bound on the id is always there: with nothing else to go by, the search runs along the primary key.
  QueryBuilder(const std::string& select, std::string table, std::optional<std::int64_t> before_id)
      : table_(std::move(table)) {
    query_.sql = fmt::format("{} WHERE {}.id < ?", select, table_);
    query_.values.emplace_back(before_id.value_or(std::numeric_limits<std::int64_t>::max()));
  }

  template <typename Value>
  void equal(const char* expression, const std::optional<Value>& value) {
    if (value) add(fmt::format("{} = ?", expression), to_sql(*value));
  }

  // Ids nearly follow the time, but a clock may step back. So the time bounds become exact id bounds, found in the
  // index on the time alone. The first + keeps that index out of the search itself, where it would force a sort; the
  // one in min(+id) keeps the planner from walking the table in id order instead of that index.
  void between(const char* time_column, std::optional<std::int64_t> since_ms, std::optional<std::int64_t> until_ms) {
    if (since_ms) bound("id >= (SELECT min(+id)", time_column, ">=", *since_ms);
    if (until_ms) bound("id <= (SELECT max(+id)", time_column, "<", *until_ms);
  }

  Query finish(int limit) && {
    query_.sql += fmt::format(" ORDER BY {}.id DESC LIMIT ?", table_);
    query_.values.emplace_back(std::int64_t{std::max(limit, 0)});
    return std::move(query_);
  }

 private:
  using Bound = std::variant<std::int64_t, std::string>;

  static Bound to_sql(const std::string& value) { return value; }
  static Bound to_sql(std::int64_t value) { return value; }
  static Bound to_sql(bool value) { return std::int64_t{value}; }
  static Bound to_sql(Verdict value) { return std::string(to_string(value)); }
  static Bound to_sql(RunState value) { return std::string(to_string(value)); }
  static Bound to_sql(FindingKind value) { return std::string(to_string(value)); }

  void bound(const char* id_bound, const char* column, const char* comparison, std::int64_t value) {
    add(fmt::format("+{}.{} {} ?", table_, column, comparison), value);
    add(fmt::format("{}.{} FROM {} WHERE {} {} ?)", table_, id_bound, table_, column, comparison), value);
  }

  void add(const std::string& condition, Bound value) {
    query_.sql += " AND " + condition;
    query_.values.push_back(std::move(value));
  }

  std::string table_;
  Query query_;
};

}  // namespace

SQLite::Statement Query::prepare(const SQLite::Database& database) const {
  SQLite::Statement statement(database, sql);
  Binder out(statement);
  for (const auto& value : values) {
    std::visit([&out](const auto& plain) { out << plain; }, value);
  }
  return statement;
}

Query runs_query(const RunFilter& filter) {
  QueryBuilder query(select_runs(), "runs", filter.before_id);
  query.equal("target", filter.target);
  query.equal("profile", filter.profile);
  query.equal("kernel_release", filter.kernel);
  query.equal("verdict", filter.verdict);
  query.equal("state", filter.state);
  query.between("queued_at_ms", filter.since_ms, filter.until_ms);
  return std::move(query).finish(filter.limit);
}

Query findings_query(const FindingFilter& filter) {
  QueryBuilder query(select_findings(), "findings", filter.before_id);
  query.equal("target", filter.target);
  query.equal("profile", filter.profile);
  query.equal("kernel_release", filter.kernel);
  query.equal("kind", filter.kind);
  query.equal("run_id", filter.run_id);
  query.equal("(acknowledged_at_ms IS NOT NULL)", filter.acknowledged);
  query.between("found_at_ms", filter.since_ms, filter.until_ms);
  return std::move(query).finish(filter.limit);
}

}  // namespace writecanary::storage
