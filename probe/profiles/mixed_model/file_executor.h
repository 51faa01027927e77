// Executes the mixed-model profile's operations on a real file, beside the model that says what must come of them.
//
// An operation that the filesystem refuses (EOPNOTSUPP and the like) is left out of the model too. What a read returns
// is compared at once; the whole file when the caller asks.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "probe/profiles/mixed_model/file_model.h"
#include "probe/run/content_check.h"
#include "probe/run/run_context.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

class FileExecutor {
 public:
  // A new file. With a null ring all goes through system calls.
  FileExecutor(RunContext& context, const FileIdentity& identity, std::uint64_t size_max, Ring* ring);

  // Returns what a read found wrong. Throws SystemError when a call fails. `counted`: the write counts for the run.
  FileReport execute(const Operation& operation, bool counted);
  // The whole file, as the page cache has it, or in both views.
  FileReport compare() { return compare_content(view(), findings_.wanted()); }
  FileReport inspect() { return inspect_content(view(), findings_.wanted()); }
  // Keeps the file as it is now.
  void keep_evidence(const FileReport& report) { findings_.keep_evidence(report, view()); }
  // Names of the calls that were refused.
  const std::set<std::string>& refused() const { return refused_; }

 private:
  ContentView view();
  bool write(const Operation& operation, const FileRange& where, bool counted);
  bool allocate(int mode, const char* what, const FileRange& where);
  bool copy(const Operation& operation, const FileRange& where);
  bool map_write(const Operation& operation, const FileRange& where);
  FileReport read(const Operation& operation, const FileRange& where);
  FileReport map_read(const FileRange& where);
  FileReport compare_piece(const FileRange& where, std::span<const std::byte> found) const;
  std::int64_t through_ring(bool writes, int fd, std::span<std::byte> bytes, std::int64_t offset);
  // Notes a refusal and returns false; throws for any other errno.
  bool refuse(const char* what);

  Meter& meter_;
  FindingReporter& findings_;
  FileIdentity identity_;
  RunFile file_;
  Fd append_fd_;
  FileModel model_;
  Ring* ring_;
  std::set<std::string> refused_;
};

}  // namespace writecanary::probe
