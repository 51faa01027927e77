#include "storage/tables/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "storage/database/columns.h"
#include "storage/tables/rows.h"

namespace writecanary::storage {

namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

class QueryBuilder {
 public:
  QueryBuilder(const std::string& select, std::string table, std::optional<std::int64_t> before_id)
      : table_(std::move(table)), before_id_(before_id.value_or(kHighest)) {
    query_.sql = fmt::format("{} WHERE true", select);
  }

  template <typename Value>
  void equal(const char* expression, const std::optional<Value>& value) {
    if (value) add(fmt::format("{} = ?", expression), {to_sql(*value)});
  }

  // Finished runs are nearly all of them: an index on them would only lead past a narrower one.
  void in_state(const std::optional<RunState>& state) {
    if (state == RunState::kFinished) add("finished_at_ms IS NOT NULL", {});
    if (state && state != RunState::kFinished) add("state = ? AND finished_at_ms IS NULL", {to_sql(*state)});
  }

  // Ids nearly follow the time, but a clock may step back. So the time bounds become id bounds through the table that
  // knows the ids of each hour. The + keeps an index on the time out of the search, where it would force a sort.
  void between(const char* time_column, const char* hours_table, std::optional<std::int64_t> since_ms,
               std::optional<std::int64_t> until_ms) {
    const std::string in_hours = fmt::format("FROM {} WHERE hour BETWEEN ? / 3600000 AND ? / 3600000", hours_table);
    const std::int64_t since = since_ms.value_or(kLowest);
    const std::int64_t until = until_ms.value_or(kHighest);
    if (since_ms || until_ms) add(fmt::format("+{0}.{1} >= ? AND +{0}.{1} < ?", table_, time_column), {since, until});
    if (since_ms) add(fmt::format("{}.id >= (SELECT min(first_id) {})", table_, in_hours), {since, until});
    // One upper bound only: of two the search would use one, and try every row between them against the other. It is
    // always there, so that with nothing else to go by the search runs along the primary key.
    if (until_ms) {
      add(fmt::format("{}.id < min(1 + (SELECT max(last_id) {}), ?)", table_, in_hours), {since, until, before_id_});
    } else {
      add(fmt::format("{}.id < ?", table_), {before_id_});
    }
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

  void add(const std::string& condition, std::initializer_list<Bound> values) {
    query_.sql += " AND " + condition;
    query_.values.insert(query_.values.end(), values);
  }

  std::string table_;
  std::int64_t before_id_;
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
  query.in_state(filter.state);
  query.between("queued_at_ms", "run_hours", filter.since_ms, filter.until_ms);
  return std::move(query).finish(filter.limit);
}

Query findings_query(const FindingFilter& filter) {
  QueryBuilder query(select_findings(), "findings", filter.before_id);
  query.equal("target", filter.target);
  query.equal("profile", filter.profile);
  query.equal("kernel_release", filter.kernel);
  query.equal("kind", filter.kind);
  query.equal("run_id", filter.run_id);
  query.equal("incident_id", filter.incident_id);
  query.equal("(acknowledged_at_ms IS NOT NULL)", filter.acknowledged);
  query.between("found_at_ms", "finding_hours", filter.since_ms, filter.until_ms);
  return std::move(query).finish(filter.limit);
}

}  // namespace writecanary::storage
