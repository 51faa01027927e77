#include "tests/unit/storage/faulty_vfs.h"

#include <array>

namespace writecanary::storage {
namespace {

struct Fault {
  std::size_t at = 0;
  bool for_good = false;
  std::size_t calls = 0;
  bool met = false;
} fault;

bool fails() {
  ++fault.calls;
  const bool now = fault.at != 0 && (fault.for_good ? fault.calls >= fault.at : fault.calls == fault.at);
  fault.met = fault.met || now;
  return now;
}

// The real file lies behind this in the memory that SQLite gave.
struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }
const sqlite3_io_methods& methods(sqlite3_file* file) { return *real(file)->pMethods; }

int close(sqlite3_file* f) { return methods(f).xClose(real(f)); }
int read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  return fails() ? SQLITE_IOERR_READ : methods(f).xRead(real(f), out, n, at);
}
// Half of it arrives, as on a disk that fills up.
int write(sqlite3_file* f, const void* bytes, int n, sqlite3_int64 at) {
  if (!fails()) return methods(f).xWrite(real(f), bytes, n, at);
  methods(f).xWrite(real(f), bytes, n / 2, at);
  return SQLITE_FULL;
}
int truncate(sqlite3_file* f, sqlite3_int64 n) {
  return fails() ? SQLITE_IOERR_TRUNCATE : methods(f).xTruncate(real(f), n);
}
int sync(sqlite3_file* /*f*/, int /*flags*/) { return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK; }
int file_size(sqlite3_file* f, sqlite3_int64* n) {
  return fails() ? SQLITE_IOERR_FSTAT : methods(f).xFileSize(real(f), n);
}
int lock(sqlite3_file* f, int level) { return fails() ? SQLITE_IOERR_LOCK : methods(f).xLock(real(f), level); }
int unlock(sqlite3_file* f, int level) { return methods(f).xUnlock(real(f), level); }
int check_lock(sqlite3_file* f, int* out) { return methods(f).xCheckReservedLock(real(f), out); }
int control(sqlite3_file* f, int op, void* arg) { return methods(f).xFileControl(real(f), op, arg); }
int sector_size(sqlite3_file* f) { return methods(f).xSectorSize(real(f)); }
int characteristics(sqlite3_file* f) { return methods(f).xDeviceCharacteristics(real(f)); }
int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
  if (fails()) return SQLITE_IOERR_SHMMAP;
  return methods(f).xShmMap(real(f), region, size, extend, out);
}
int shm_lock(sqlite3_file* f, int at, int n, int flags) {
  if ((flags & SQLITE_SHM_LOCK) != 0 && fails()) return SQLITE_IOERR_SHMLOCK;
  return methods(f).xShmLock(real(f), at, n, flags);
}
void shm_barrier(sqlite3_file* f) { methods(f).xShmBarrier(real(f)); }
int shm_unmap(sqlite3_file* f, int remove) { return methods(f).xShmUnmap(real(f), remove); }

constexpr sqlite3_io_methods kMethods = {
    2,         close,      read,    write,       truncate,        sync,    file_size, lock,
    unlock,    check_lock, control, sector_size, characteristics, shm_map, shm_lock,  shm_barrier,
    shm_unmap, nullptr,    nullptr};

sqlite3_vfs* original = nullptr;

int open(sqlite3_vfs* /*vfs*/, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if (fails()) return SQLITE_CANTOPEN;
  const int result = original->xOpen(original, path, real(file), flags, out_flags);
  if (real(file)->pMethods != nullptr) file->pMethods = &kMethods;
  return result;
}
int remove(sqlite3_vfs* /*vfs*/, const char* path, int sync_directory) {
  return fails() ? SQLITE_IOERR_DELETE : original->xDelete(original, path, sync_directory);
}
int access(sqlite3_vfs* /*vfs*/, const char* path, int flags, int* out) {
  return fails() ? SQLITE_IOERR_ACCESS : original->xAccess(original, path, flags, out);
}

sqlite3_vfs vfs;

}  // namespace

FaultyVfs::FaultyVfs() {
  original = ::sqlite3_vfs_find(nullptr);
  vfs = *original;
  vfs.zName = "faulty";
  vfs.szOsFile = static_cast<int>(sizeof(File)) + original->szOsFile;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  ::sqlite3_vfs_register(&vfs, 1);
  heal();
}

FaultyVfs::~FaultyVfs() {
  ::sqlite3_vfs_unregister(&vfs);
  ::sqlite3_vfs_register(original, 1);
}

void FaultyVfs::fail_at(std::size_t call, bool for_good) { fault = {call, for_good, 0, false}; }

bool FaultyVfs::has_failed() { return fault.met; }

}  // namespace writecanary::storage
