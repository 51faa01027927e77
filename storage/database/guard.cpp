#include "storage/database/guard.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statvfs.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "storage/database/storage_error.h"

namespace writecanary::storage {

namespace {

std::atomic<std::uint64_t> errors_total = 0;

// SQLite calls it an I/O error when a full filesystem refuses something else than a write, such as its shared memory.
bool is_full(const std::string& path) {
  constexpr std::uint64_t kLeastBytes = 64U << 10;
  struct statvfs space {};
  const std::string directory = std::filesystem::path(path).parent_path();
  return statvfs(directory.c_str(), &space) == 0 && space.f_bavail * space.f_frsize < kLeastBytes;
}

std::string_view way_out(int sqlite_code, const std::string& path) {
  switch (sqlite_code) {
    case SQLITE_FULL:
      return ". Free space on that filesystem, or lower storage.max_size";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ". The file is damaged: stop the daemon, move it away and keep it for recovery";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return ". The file and its directory must be writable for the daemon";
    case SQLITE_BUSY:
      return ". Another program holds a lock on it: close that program";
    case SQLITE_IOERR:
      return is_full(path) ? ". That filesystem is full: free space on it" : "";
    default:
      return "";
  }
}

}  // namespace

std::uint64_t storage_errors_total() { return errors_total; }

void throw_storage_error(std::string_view tried, const std::string& path, const SQLite::Exception& error) {
  ++errors_total;
  throw StorageError(fmt::format("{}: {}: {} (SQLite code {}){}", tried, path, error.what(),
                                 error.getExtendedErrorCode(), way_out(error.getErrorCode(), path)));
}

void throw_document_error(std::string_view tried, const std::string& path, const std::exception& error) {
  ++errors_total;
  throw StorageError(fmt::format("{}: {}: a stored document cannot be read: {}", tried, path, error.what()));
}

}  // namespace writecanary::storage
