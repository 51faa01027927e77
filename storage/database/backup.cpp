#include "storage/database/backup.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "storage/database/database_file.h"
#include "storage/database/guard.h"
#include "storage/database/storage_error.h"
#include "storage/database/write_ahead_log.h"

namespace writecanary::storage {

namespace {

constexpr int kAllPages = -1;

// Removes what was begun, unless it was kept.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;  // most often it was renamed
    for (const char* suffix : {"", "-journal"}) std::filesystem::remove(path_ + suffix, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

 private:
  std::string path_;
};

void sync(const std::string& path, int flags) {
  const Fd file = open_file(path, flags);
  if (::fsync(file.get()) != 0) throw_errno("fsync " + path);
}

}  // namespace

void back_up(const std::string& path, const std::string& destination) {
  const std::string fresh = destination + ".new";
  const std::string tried = "back up to " + destination;
  const Unfinished unfinished(fresh);
  guarded(tried, path, [&] {
    // A daemon has looked already.
    if (!is_locked(path) && has_foreign_log(path, SQLite::OPEN_READONLY)) {
      throw StorageError(
          fmt::format("{}: {}-wal is of another database than {}. Move it away, or start the daemon, which does", tried,
                      path, path));
    }
    SQLite::Database source(path, SQLite::OPEN_READONLY, kBusyTimeoutMs);
    SQLite::Database copy(fresh, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    copy.exec("PRAGMA synchronous = OFF");  // it is synced once, when it is whole
    // All in one step is one read transaction: writers go on and the copy is of one moment. In several, each change
    // by the daemon would begin it anew.
    SQLite::Backup(copy, source).executeStep(kAllPages);
  });
  try {
    sync(fresh, O_RDONLY);
    // Unlike rename(2), link(2) refuses a name that is taken.
    if (::link(fresh.c_str(), destination.c_str()) != 0) throw_errno("link " + fresh + " to " + destination);
    sync(std::filesystem::absolute(destination).parent_path(), O_RDONLY | O_DIRECTORY);
  } catch (const SystemError& error) {
    throw StorageError(fmt::format("{}: {}", tried, error.what()));
  }
}

}  // namespace writecanary::storage
