// The default VFS of SQLite with one fault: the n-th call that reaches the filesystem fails, or all from there on.
//
// While an object of this exists, every database that is opened goes through it. Syncs are not passed on, so that
// hundreds of scenarios take no longer than one.
#pragma once

#include <sqlite3.h>

#include <cstddef>

namespace writecanary::storage {

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // Counting starts anew. 0: no fault.
  static void fail_at(std::size_t call, bool for_good);
  static void heal() { fail_at(0, false); }
  // The fault was met.
  static bool has_failed();
};

}  // namespace writecanary::storage
