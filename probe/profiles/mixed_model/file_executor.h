// Executes the mixed-model profile's operations on a real file, beside the model that says what must come of them.
//
// An operation that the filesystem refuses (EOPNOTSUPP and the like) is left out of the model too. What a read returns
// is compared at once; the whole file when the caller asks.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "core/run/coverage.h"
#include "probe/access/writes_at_once.h"
#include "probe/memory/file_mapping.h"
#include "probe/profiles/mixed_model/file_model.h"
#include "probe/run/content_check.h"
#include "probe/run/run_context.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

inline constexpr char kTwinSuffix[] = "-twin";          // of the clone's name
inline constexpr std::uint64_t kBehindEndBytes = 5000;  // a read that reaches the end asks for so much more

class FileExecutor {
 public:
  // A new file. With a null ring all goes through system calls.
  FileExecutor(RunContext& context, const FileIdentity& identity, std::uint64_t size_max, Ring* ring);

  Operation resolved(const Operation& operation) const { return model_.resolved(operation); }
  // Returns what a read found wrong. Throws SystemError when a call fails. `counted`: the write counts as one
  // of the run's; its bytes do in any case.
  FileReport execute(const Operation& operation, bool counted);
  // After an operation that failed: of what it reaches the model has what stands there, so that the rest can be judged.
  // Throws SystemError.
  void take_over(const Operation& failed);
  // The whole file and its twin, as the page cache has them, or in both views; `early` as inspect_content() says.
  FileReport compare();
  FileReport inspect(const std::function<void(const FileReport&)>& early = {});
  // Keeps the file that the report is about as it is now.
  void keep_evidence(const FileReport& report);
  // Names of the calls that were refused.
  const std::set<std::string>& refused() const { return refused_; }

 private:
  ContentView view();
  ContentView twin_view();
  bool has_twin() const { return !model_.twin().empty(); }
  FileReport perform(const Operation& operation, const FileRange& where, bool counted);
  // What it will meet; and, when it was made, counts it.
  CoveredStates states_before(const Operation& operation, const FileRange& where) const;
  void cover(const Operation& operation, const FileRange& where, CoveredStates met);
  bool write(const Operation& operation, const FileRange& where, bool counted);
  bool allocate(int mode, const char* what, const FileRange& where);
  bool allocate_with_signals(const FileRange& where);
  bool copy(const Operation& operation, const FileRange& where);
  bool map_write(const Operation& operation, const FileRange& where);
  bool store_behind(const Operation& operation, const FileRange& where);
  bool direct_write(const Operation& operation, const FileRange& where, bool counted);
  bool direct_parts(const Operation& operation, const FileRange& where, bool counted);
  bool rewrite(const Operation& operation, const FileRange& where, bool counted);
  // Both put into the model what they did, as far as they came.
  FileReport write_with_stop(const Operation& operation, const FileRange& where, bool counted);
  FileReport compare_after_stop(const FileRange& asked, std::uint64_t done);
  FileReport map_rewrite(const Operation& operation, const FileRange& where);
  bool clone();
  bool clone_range(const Operation& operation, const FileRange& where);
  bool deduplicate(const FileRange& where);
  bool write_twin(const Operation& operation, const FileRange& where, bool counted);
  bool write_plainly(int fd, const std::string& name, std::uint64_t offset, std::span<const std::byte> data,
                     bool counted);
  FileReport direct_read(const FileRange& where);
  FileReport read(const Operation& operation, const FileRange& where);
  FileReport map_read(const FileRange& where);
  // What a read from there on returned: the file's bytes, and nothing behind its end.
  FileReport compare_piece(std::uint64_t offset, std::span<const std::byte> found) const;
  std::int64_t through_ring(bool writes, int fd, std::span<std::byte> bytes, std::int64_t offset);
  void count(const WriteRef& write, bool counted) { counted ? meter_.count(write, false) : meter_.count_bytes(write); }
  void count(std::uint64_t length_bytes, std::int64_t result, bool counted);
  // Empty where the filesystem refuses it.
  FileMapping map_shared(const FileRange& where) const;
  void note_refusal(const char* what) {
    refused_.insert(what);
    was_refused_ = true;
  }
  // Notes a refusal and returns false; throws for any other errno.
  bool refuse(const char* what);

  RunContext& context_;
  Meter& meter_;
  FindingReporter& findings_;
  FileIdentity identity_;
  RunFile file_, twin_;
  Fd append_fd_;
  Fd direct_fd_;                           // none where the filesystem has no direct I/O
  std::unique_ptr<WritesAtOnce> at_once_;  // none where the kernel has none to give
  FilesystemFacts filesystem_;
  FileModel model_;
  bool stored_behind_ = false;  // then what a mapping shows behind the end is nobody's
  Ring* ring_;
  std::set<std::string> refused_;
  bool was_refused_ = false;  // the operation that was executed last
};

}  // namespace writecanary::probe
