// Memory of which a page is missing until it is given: whoever touches it waits, the kernel in the middle of a read or
// a write too.
//
// A buffered write faults its source in piece by piece, without a lock on any page of the file. So a source with a
// missing page stops it at a chosen byte, for as long as one likes, and what is otherwise a race of microseconds can be
// done step by step. The same holds for the memory that a read fills, and for direct I/O, which pins its pages first.
//
// The page is withheld by userfaultfd(2). It must catch faults of the kernel, for which UFFD_USER_MODE_ONLY is not
// enough: the caller needs CAP_SYS_PTRACE, vm.unprivileged_userfaultfd = 1, or access to /dev/userfaultfd (6.1).
// Without any of them the memory is a mapping of a file that is not in the page cache: whoever touches it waits for
// storage, and nobody can tell when or for how long. That still makes races, but nothing is ever known to have been
// held.
//
// It gives no page by itself; that is probe/trap/held_call.h. Used by one thread, but for give().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.h"

namespace writecanary::probe {

class WithheldMemory {
 public:
  static constexpr std::size_t kGuardPages = 16;
  // A new empty file, open for reading and writing, for the mapping that stands in for userfaultfd.
  using MakeFile = std::function<Fd()>;
  // Memory for `bytes`, rounded up to pages and followed by kGuardPages that nobody can read or write. Throws
  // SystemError.
  static std::unique_ptr<WithheldMemory> open(std::size_t bytes, const MakeFile& make_file);
  // The same with the stand-in, for what must work without userfaultfd. `why` is what refusal() will say.
  static std::unique_ptr<WithheldMemory> open_cold(std::size_t bytes, const MakeFile& make_file, std::string why);
  ~WithheldMemory();
  WithheldMemory(const WithheldMemory&) = delete;
  WithheldMemory& operator=(const WithheldMemory&) = delete;

  // Puts these bytes at the begin of the memory plus `lead`, and takes the page with byte `withheld` of them away: it
  // is missing until give(). Pages of earlier calls are given back to the kernel. Returns where the bytes are. Throws
  // SystemError.
  std::span<std::byte> fill(std::span<const std::byte> bytes, std::size_t lead, std::size_t withheld);
  // Takes the page with that byte away as well, whatever it holds now; give() brings back what fill() put there.
  void take_away(std::size_t byte);

  std::size_t size_bytes() const { return bytes_; }  // without the guard
  // Readable when somebody waits for a page; -1 for the stand-in.
  int descriptor() const { return faults_.get(); }
  // The page that somebody waits for, if anyone does. Throws SystemError.
  std::optional<std::uintptr_t> wanted() const;
  // Gives a page its bytes and wakes who waits for it. May be called from any thread, by one at a time. Throws
  // SystemError; who waited then goes on with a page of zeros, and what comes of that proves nothing.
  void give(std::uintptr_t page);
  // Nobody waits any longer, now or later: what is missing is zeros from now on. For when giving has failed.
  void abandon() noexcept;

  // Empty when pages can be withheld; else why not, with the way out.
  const std::string& refusal() const { return refusal_; }

 private:
  explicit WithheldMemory(std::size_t bytes);
  void map(int fd);
  void withhold_with(Fd faults);
  void copy_in(std::size_t begin, std::size_t end);

  std::size_t page_bytes_;
  std::size_t bytes_;  // whole pages, without the guard
  std::byte* memory_ = nullptr;
  std::vector<std::byte> content_;  // what the pages hold or will hold
  std::size_t filled_bytes_ = 0;    // whole pages that fill() put
  std::size_t lead_ = 0;
  Fd faults_;
  Fd cold_;
  std::string refusal_;
};

}  // namespace writecanary::probe
