#include "storage/database/write_ahead_log.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cctype>
#include <filesystem>
#include <iterator>

#include "storage/database/columns.h"

namespace writecanary::storage {

namespace {

// 1 MiB, some twenty ends of runs: a host on which little happens should not need several.
constexpr int kFramesBeforeCheckpoint = 256;

std::string uri_of_file_alone(const std::string& path) {
  std::string uri = "file://";
  for (const char c : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '/' || c == '.' || c == '-' || c == '_';
    plain ? uri.push_back(c) : static_cast<void>(fmt::format_to(std::back_inserter(uri), "%{:02X}", byte));
  }
  return uri + "?immutable=1";  // SQLite looks for no log beside it
}

// Else the page is torn.
bool is_whole(const std::optional<LogStamp>& stamp) {
  constexpr std::size_t kMark = sizeof kFirstLog - 1;
  return !stamp ||
         (stamp->database_id.size() == 2 * kMark && stamp->begin.size() == kMark && stamp->mark.size() == kMark);
}

bool is_damage(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_NOTADB;
}

}  // namespace

bool has_log(const std::string& path) {
  std::error_code error;
  return std::filesystem::file_size(path + "-wal", error) > 0 && !error;
}

std::optional<LogStamp> read_stamp(const SQLite::Database& database) {
  if (!database.tableExists("identity")) return std::nullopt;
  SQLite::Statement select(database, "SELECT id, log_begin, log_mark FROM identity");
  if (!select.executeStep()) return std::nullopt;
  LogStamp stamp;
  RowReader(select) >> stamp.database_id >> stamp.begin >> stamp.mark;
  return stamp;
}

bool log_belongs(const std::optional<LogStamp>& file, const std::optional<LogStamp>& with_log) {
  if (!with_log) return !file;
  if (!file) return with_log->begin == kFirstLog;  // the log has the migration to a version with stamps
  return file->database_id == with_log->database_id &&
         (file->mark == with_log->begin || file->begin == with_log->begin);
}

bool has_foreign_log(const std::string& path, int flags) {
  if (!has_log(path)) return false;
  try {
    const auto file = [&] {
      const SQLite::Database alone(uri_of_file_alone(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI);
      return read_stamp(alone);
    }();
    const SQLite::Database database(path, flags);
    sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    const auto with_log = read_stamp(database);
    return is_whole(file) && is_whole(with_log) && !log_belongs(file, with_log);
  } catch (const SQLite::Exception& error) {
    // A page that a power loss tore while it was copied is whole in the log: nobody may take that log away.
    if (!is_damage(error)) throw;
    return false;
  }
}

WriteAheadLog::WriteAheadLog(SQLite::Database& database) : database_(database) {
  sqlite3_wal_hook(database_.getHandle(), after_commit, this);
}

WriteAheadLog::~WriteAheadLog() { sqlite3_wal_hook(database_.getHandle(), nullptr, nullptr); }

void WriteAheadLog::stamp() {
  SQLite::Statement update(database_, begins_
                                          ? "UPDATE identity SET log_begin = log_mark, log_mark = hex(randomblob(8))"
                                          : "UPDATE identity SET log_mark = hex(randomblob(8))");
  update.exec();
  stamped_ = true;
}

void WriteAheadLog::checkpoint() {
  int frames = 0;
  int copied = -1;
  const int code =
      sqlite3_wal_checkpoint_v2(database_.getHandle(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (code == SQLITE_OK && frames == copied) begins_ = true;
}

int WriteAheadLog::after_commit(void* self, sqlite3*, const char*, int frames) {
  auto* log = static_cast<WriteAheadLog*>(self);
  if (log->stamped_) log->begins_ = log->stamped_ = false;
  if (frames >= kFramesBeforeCheckpoint) log->checkpoint();
  return SQLITE_OK;
}

}  // namespace writecanary::storage
