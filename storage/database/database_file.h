// The file at storage.path before it is trusted: is it ours, whole, of a version that we know, is what lies beside it
// its own, and is no other daemon using it? A file that is refused (StorageError with the way out) has not been
// changed.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.h"

namespace writecanary::storage {

// PRAGMA application_id of our files: "WCan".
inline constexpr std::uint32_t kApplicationId = 0x5743616e;

// At most this much is read through by PRAGMA quick_check at start, which takes about a second. Damage in a larger file
// shows as a StorageError when the damaged page is read; pages carry no checksums, so even the check is no proof.
inline constexpr std::uint64_t kQuickCheckBytesMax = 256ULL << 20;

// How long to wait for a lock that a backup or an sqlite3 shell holds; readers of a write-ahead log wait only while it
// is being recovered or reset.
inline constexpr int kBusyTimeoutMs = 5000;

// Takes the lock "<path>.lock" for this process until the descriptor closes. The file stays: removing a lock file that
// somebody else may be opening is a race.
Fd lock_database(const std::string& path);

// Whether a process holds that lock now.
bool is_locked(const std::string& path);

// A database that is open for writing, and what was found beside it that a person should hear of.
struct OpenedFile {
  SQLite::Database database;
  std::vector<std::string> notices;
};

// Opens the database for writing. When there is none, one is made by these steps of the schema, under another name and
// renamed, so that whatever stands at the path is ours and whole, whenever a daemon may have died. A file of another
// program is recognised by its header, before SQLite touches it. A log or journal of another database that lies beside
// it is renamed, before SQLite would replay it.
OpenedFile open_database_file(const std::string& path, std::span<const char* const> steps);

// Database plus write-ahead log, as the filesystem has them.
std::uint64_t database_size_bytes(const std::string& path);

}  // namespace writecanary::storage
