// A file seen through a window: its bytes at any position, a large piece at a time.
//
// Read copies each piece into a buffer, as applications read. Mapped looks at the page cache where it lies, which costs
// half as much; a piece that cannot be mapped (an I/O error, a filesystem without mappings, an odd position) is read.
// A page that goes and cannot be had again leaves zeros that nobody wrote (probe/memory/file_mapping.h): ask
// lost_a_page() before judging by what was seen.
//
// The scanner mostly walks forward, but a file whose content is shifted by an odd number of bytes must be compared at
// that shift; the window reads again from such a position, so that words always stand aligned in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "probe/memory/file_mapping.h"

namespace writecanary::probe {

enum class Access { kRead, kMapped };

class Window {
 public:
  // Owns neither the descriptor nor the buffer, which must hold at least 64 bytes. The name is for error texts.
  Window(int fd, std::string name, std::uint64_t size_bytes, std::span<std::uint64_t> buffer,
         Access access = Access::kRead);
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  // As given, or less once reading met an earlier end.
  std::uint64_t size_bytes() const { return size_; }
  // As many whole words from this position on as are at hand; none only when fewer than 8 bytes are left.
  // Valid until the next call. Throws SystemError.
  std::span<const std::uint64_t> words(std::uint64_t position);
  // At most `count` bytes, fewer only at the end of the file. Valid until the next call. Throws SystemError.
  std::span<const std::byte> bytes(std::uint64_t position, std::size_t count);
  // Whether a mapped page could not be had: some of what was seen is not the file's.
  bool lost_a_page() const { return lost_ || mapping_.lost_a_page(); }

 private:
  void load(std::uint64_t position);
  bool map(std::uint64_t position);
  void unmap();
  void read(std::uint64_t position);
  std::uint64_t end() const { return base_ + filled_; }

  int fd_;
  std::string name_;
  std::uint64_t size_;
  std::span<std::uint64_t> buffer_;
  Access access_;
  std::span<const std::uint64_t> words_;  // of the buffer or of the mapping, with its last incomplete word
  std::uint64_t base_ = 0;                // file position of the first of them
  std::uint64_t filled_ = 0;              // bytes of the file in them
  FileMapping mapping_;
  bool lost_ = false;  // by an earlier mapping
};

}  // namespace writecanary::probe
