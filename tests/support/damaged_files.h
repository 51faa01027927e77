// The state behind damagefs: which rule holds, how many writes have been seen, how far each file has been shifted by
// earlier damage, and the log that says what was done.
//
// Deterministic: the same writes in the same order under the same rule give the same damage. Not thread-safe; damagefs
// serves one request at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/fd.h"
#include "tests/support/damage.h"

namespace writecanary::damagefs {

class DamagedFiles {
 public:
  // Appends to the log: one JSON object per damaged write, complete before that write returns.
  // {"kind","file","write","offset","length","source_offset"}: offsets as in Damage, write counted as in Rule::at.
  // Throws SystemError when the log cannot be opened.
  explicit DamagedFiles(const std::string& log_path);

  // Starts counting anew. Throws std::invalid_argument and keeps the old rule when the text is wrong.
  void set_rule(std::string_view text);
  // "<rule> writes=N damaged=N".
  std::string status() const;

  // Writes to fd, which must be open without O_APPEND: an append goes to the end of the file as it stands, whatever
  // size the kernel believes in. Returns what a faithful filesystem would have returned, or -errno.
  ssize_t write(int fd, const std::string& name, std::string_view bytes, std::uint64_t offset_bytes, bool append);

  // Damages what was read from this offset, if the rule is for reads; counted and logged as writes are.
  void damage_read(const std::string& name, std::span<char> bytes, std::uint64_t offset_bytes);

  // The file is new or empty: nothing in it has been shifted.
  void forget(ino_t inode) { shift_.erase(inode); }

 private:
  void remember_head(const std::string& name, std::string_view bytes, std::uint64_t stream_offset_bytes);
  void log(const Damage& done, const std::string& name);

  Fd log_;
  std::string rule_text_ = "kind=none";
  Rule rule_;
  std::uint64_t writes_ = 0;  // that were long enough for the rule
  std::uint64_t damaged_ = 0;
  std::unordered_map<ino_t, std::int64_t> shift_;  // bytes inserted less bytes lost
  std::string head_name_;                          // the file written last, and how it begins
  std::string head_;
  std::string earlier_head_;  // of the file before
};

}  // namespace writecanary::damagefs
