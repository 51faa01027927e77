#include "storage/database/database_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/base/error.h"
#include "storage/database/guard.h"
#include "storage/database/migrations.h"
#include "storage/database/storage_error.h"
#include "storage/database/write_ahead_log.h"

namespace writecanary::storage {

namespace {

constexpr std::string_view kWayOut = "Move the file away or give another storage.path; nothing was changed";

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw StorageError(fmt::format("storage.path {}: {}. {}", path, reason, kWayOut));
}

Fd open_or_explain(const std::string& path, int flags) {
  try {
    return open_file(path, flags, 0644);
  } catch (const SystemError& error) {
    throw StorageError(
        fmt::format("storage.path: {}. The file and its directory must exist and be writable for the "
                    "daemon: make the directory or give another storage.path",
                    error.what()));
  }
}

std::uint32_t big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

void check_version(const std::string& path, std::uint32_t version, int newest_version) {
  if (version > static_cast<std::uint32_t>(newest_version)) {
    refuse(path, fmt::format("it was written by a newer writecanary (schema version {}, this program knows up to {}), "
                             "which this one cannot read",
                             version, newest_version));
  }
}

bool is_missing_or_empty(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return error == std::errc::no_such_file_or_directory || (!error && size == 0);
}

// Renames what SQLite would replay into the database, which is not its own.
void set_aside(const std::string& path, const char* suffix, std::vector<std::string>& notices) {
  const std::string from = path + suffix;
  std::error_code error;
  if (!std::filesystem::exists(from, error)) return;
  std::string to = from + ".unknown";
  for (int number = 2; std::filesystem::exists(to, error); ++number) to = fmt::format("{}.unknown-{}", from, number);
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw StorageError(fmt::format("storage.path {}: {} is of another database and cannot be renamed: {}. Move it away",
                                   path, from, error_text(errno)));
  }
  std::filesystem::remove(path + "-shm", error);  // an index of that log, which nobody needs any more
  notices.push_back(
      fmt::format("{} was of another database than {}: it was not read, and is kept as {}", from, path, to));
}

void create_database_file(const std::string& path, std::span<const char* const> steps) {
  const std::string fresh = path + ".new";
  std::error_code ignored;  // most often there is nothing to remove
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) std::filesystem::remove(fresh + suffix, ignored);
  {
    SQLite::Database database(fresh, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    // Possible only before anything else: lets retention give space back to the filesystem.
    database.exec(fmt::format("PRAGMA synchronous = FULL; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {}",
                              kApplicationId));
    migrate(database, steps);
    database.exec("PRAGMA journal_mode = WAL");
  }
  const Fd directory = open_or_explain(std::filesystem::absolute(path).parent_path(), O_RDONLY | O_DIRECTORY);
  if (::rename(fresh.c_str(), path.c_str()) != 0 || ::fsync(directory.get()) != 0) {
    throw StorageError(fmt::format("storage.path: rename {} to {}: {}", fresh, path, error_text(errno)));
  }
}

// The header as it stands in the file (https://www.sqlite.org/fileformat.html#the_database_header). What the
// write-ahead log may add is looked at after opening. True when the file is written with such a log.
bool check_header(const std::string& path, int newest_version) {
  const Fd file = open_or_explain(path, O_RDWR);
  std::array<unsigned char, 100> header{};
  const ssize_t length = ::pread(file.get(), header.data(), header.size(), 0);
  if (length < 0) throw StorageError(fmt::format("storage.path: read {}: {}", path, error_text(errno)));
  const std::string_view magic("SQLite format 3\0", 16);
  if (static_cast<std::size_t>(length) < header.size() ||
      std::string_view(reinterpret_cast<const char*>(header.data()), magic.size()) != magic) {
    refuse(path, "it is not an SQLite database");
  }
  if (const std::uint32_t id = big_endian(&header[68]); id != kApplicationId) {
    refuse(path,
           fmt::format("it is the SQLite database of another program (application_id {:#010x} instead of {:#010x})", id,
                       kApplicationId));
  }
  check_version(path, big_endian(&header[60]), newest_version);
  return header[18] == 2 && header[19] == 2;
}

void check_contents(SQLite::Database& database, const std::string& path, int newest_version) {
  std::string damage;
  try {
    check_version(path, database.execAndGet("PRAGMA user_version").getUInt(), newest_version);
    const bool quick = database_size_bytes(path) <= kQuickCheckBytesMax;
    damage =
        database.execAndGet(quick ? "PRAGMA quick_check(1)" : "SELECT 'ok' FROM pragma_schema_version").getString();
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_CORRUPT && error.getErrorCode() != SQLITE_NOTADB) throw;
    damage = error.what();
  }
  if (damage == "ok") return;
  refuse(path,
         fmt::format("the database{} is damaged ({})", has_log(path) ? ", or the log beside it (-wal)," : "", damage));
}

// Closing the last connection normally copies the write-ahead log into the file; not into one that is being refused.
void checkpoint_on_close(SQLite::Database& database, bool on) {
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

}  // namespace

Fd lock_database(const std::string& path) {
  const std::string lock_path = path + ".lock";
  Fd lock = open_or_explain(lock_path, O_RDWR | O_CREAT);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw StorageError(fmt::format("storage.path: lock {}: {}", lock_path, error_text(errno)));
  throw StorageError(
      fmt::format("storage.path {}: another writecanaryd is using it ({} is locked). Stop that one or "
                  "give another storage.path",
                  path, lock_path));
}

bool is_locked(const std::string& path) {
  const Fd lock{::open((path + ".lock").c_str(), O_RDONLY | O_CLOEXEC)};
  return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
}

OpenedFile open_database_file(const std::string& path, std::span<const char* const> steps) {
  const auto newest_version = static_cast<int>(steps.size());
  return guarded("open the database", path, [&] {
    std::vector<std::string> notices;
    if (is_missing_or_empty(path)) {
      for (const char* suffix : {"-wal", "-journal"}) set_aside(path, suffix, notices);
      create_database_file(path, steps);
    }
    // A file with a log needs no journal: at most the one that was under way when it got its log.
    if (check_header(path, newest_version)) set_aside(path, "-journal", notices);
    if (has_foreign_log(path, SQLite::OPEN_READWRITE)) set_aside(path, "-wal", notices);
    SQLite::Database database(path, SQLite::OPEN_READWRITE, kBusyTimeoutMs);
    checkpoint_on_close(database, false);
    check_contents(database, path, newest_version);
    checkpoint_on_close(database, true);
    return OpenedFile{std::move(database), std::move(notices)};
  });
}

std::uint64_t database_size_bytes(const std::string& path) {
  std::uint64_t total = 0;
  for (const std::string& file : {path, path + "-wal"}) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (!error) total += size;
  }
  return total;
}

}  // namespace writecanary::storage
