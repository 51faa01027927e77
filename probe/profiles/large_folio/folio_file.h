// The file of a large-folio round: what stands where in it, the changes that can be made to it, and looks at it
// meanwhile.
//
// The first half holds the stream of writer 0 and never changes; the second half holds generations (the word's writer
// field) or zeros, word by word as the map of generations says. Changes are made by one thread; looks by any number.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "probe/pattern/pattern.h"
#include "probe/run/content_check.h"
#include "probe/run/file_range.h"
#include "probe/run/run_context.h"

namespace writecanary::probe {

class FolioFile {
 public:
  FolioFile(RunContext& context, const FileIdentity& identity, std::uint64_t size_bytes);

  std::uint64_t size_bytes() const { return generations_.size() * kWordBytes; }

  // Changes. `where` is any number that chooses the place. All throw SystemError.
  void fill();                                       // the whole file, in big writes
  void rewrite_stable(std::uint64_t where);          // a piece of the first half, with the bytes that it has
  void rewrite(std::uint64_t where, bool uncached);  // a piece of the second half, with the next generation
  bool punch(std::uint64_t where);                   // a hole in the second half; false where it is refused
  void truncate(std::uint64_t where);                // cut in the second half, then as long as before
  // The following take pages out of the page cache, and leave what the file holds. They return whether any page went.
  bool drop(std::uint64_t offset, std::uint64_t bytes);  // with fadvise(DONTNEED), which leaves no trace of them

  struct Looks {
    std::uint64_t bytes = 0;
    std::vector<Finding> wrong;
  };
  // One thread's view, with its own descriptor and buffers.
  class Reader {
   public:
    explicit Reader(const FolioFile& file);
    // Reads at a place that `where` chooses. The second half is only judged if nothing changed meanwhile.
    void look(std::uint64_t where, Looks& looks);

   private:
    void allow_changes(std::uint64_t offset, std::span<std::uint64_t> found);

    const FolioFile& file_;
    Fd fd_;
    std::vector<std::uint64_t> found_, expected_;
  };

  // Reads the file from its beginning, which brings it in as large folios, and has its cgroup's memory reclaimed, which
  // leaves a shadow entry of each. What it read wrong is added to `looks`. False as well where there is no cgroup.
  bool reclaim(Looks& looks);

  // With all readers ended: reports what they saw and what is wrong with the file.
  void settle(const Looks& looks);
  void judge();

 private:
  std::uint64_t half() const { return generations_.size() / 2 * kWordBytes; }
  // Begin and length are multiples of a word and seldom of a page.
  FileRange range_of_second_half(std::uint64_t where) const;
  void write(FileRange range, std::uint8_t generation, bool uncached);
  void expected(std::uint64_t offset, std::span<std::byte> out) const;
  ContentView view() const;

  RunContext& context_;
  FileIdentity identity_;
  RunFile file_;
  std::vector<std::uint8_t> generations_;  // per word; kNone: zero
  std::vector<std::uint64_t> buffer_;
  std::uint8_t generation_ = 0;
  FileRange failed_;                       // of a write that failed: nobody knows what stands there
  bool uncached_known_ = true;             // RWF_DONTCACHE has not been refused
  std::atomic<std::uint64_t> changes_{0};  // of the second half, begun and ended ones
};

}  // namespace writecanary::probe
