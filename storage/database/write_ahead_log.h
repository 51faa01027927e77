// The write-ahead log beside a database, and whose it is.
//
// SQLite replays whatever log lies at "<path>-wal" into whatever database lies at <path>: also the one that a killed
// daemon left, into a database that was made anew or restored since (https://www.sqlite.org/howtocorrupt.html,
// "Mispairing database files and hot journals"). So each of our transactions stamps the log. `mark` is drawn anew by
// each; `begin` is the mark that the file had when the log began. A log belongs to a file whose mark is the log's
// beginning, or that was brought forward from the same beginning: by a part of the log, which replaying it whole
// completes.
//
// For this to hold, whoever writes has to know when a log begins. WriteAheadLog therefore makes the checkpoints that
// SQLite would make by itself.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>

namespace writecanary::storage {

// In a file that a power loss tore its row is old or new, never a part of each: all stamps have one length, so that
// nothing moves in the page, and they stand together in its last sector.
struct LogStamp {
  std::string database_id;
  std::string begin;
  std::string mark;
};
// What `begin` is from the first stamp on (storage/database/schema.cpp).
inline constexpr char kFirstLog[] = "0000000000000000";

// Nothing in a database of a version without stamps.
std::optional<LogStamp> read_stamp(const SQLite::Database& database);
// `file` is what stands in the file alone, `with_log` what stands there with the log applied.
bool log_belongs(const std::optional<LogStamp>& file, const std::optional<LogStamp>& with_log);
// Whether there is a log beside the database with anything in it.
bool has_log(const std::string& path);
// Whether there is one that certainly is not its own. `flags` are those of SQLite's open; nothing
// is changed. Throws SQLite::Exception.
bool has_foreign_log(const std::string& path, int flags);

// The writer's side of it: one for each writing connection, which must outlive it.
class WriteAheadLog {
 public:
  explicit WriteAheadLog(SQLite::Database& database);
  ~WriteAheadLog();
  WriteAheadLog(const WriteAheadLog&) = delete;
  WriteAheadLog& operator=(const WriteAheadLog&) = delete;

  // To be called last, and once, in each transaction that changed something.
  void stamp();
  // Copies what it can into the file, without waiting for readers; a failure is left to the next one. Happens by itself
  // when the log is long.
  void checkpoint();

 private:
  static int after_commit(void* self, sqlite3* handle, const char* name, int frames);

  SQLite::Database& database_;
  bool begins_ = false;   // all is in the file, so the next transaction begins a log
  bool stamped_ = false;  // by the transaction under way
};

}  // namespace writecanary::storage
