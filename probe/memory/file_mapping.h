// A file's bytes in memory. Where the filesystem cannot give a page (no space left, an I/O error, an end that moved)
// the kernel sends SIGBUS to whoever touches it; here that is not the end of the process. The page becomes a page of
// zeros that belongs to nobody, and the mapping says that it lost one: what was read from it then means nothing, and
// what was stored in it is not in the file.
//
// There is no jumping out of the access: it goes on, and whoever made it asks afterwards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace writecanary::probe {

class FileMapping {
 public:
  FileMapping() = default;
  // mmap(2) of these bytes, which need not begin at a page, with PROT_* and MAP_*. Empty when it is refused, with the
  // reason in errno, or for no bytes.
  FileMapping(int fd, std::uint64_t offset, std::size_t length, int protection, int flags);
  FileMapping(FileMapping&& other) noexcept { swap(other); }
  FileMapping& operator=(FileMapping&& other) noexcept {
    swap(other);
    return *this;
  }
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;
  ~FileMapping();

  std::span<std::byte> bytes() const { return bytes_; }
  // Whether a page could not be had since the mapping was made.
  bool lost_a_page() const;
  // Throws SystemError when one was lost: `store through a mapping of file-3: ...`.
  void check(const std::string& tried) const;

 private:
  void swap(FileMapping& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(length_, other.length_);
    std::swap(bytes_, other.bytes_);
    std::swap(slot_, other.slot_);
  }

  void* memory_ = nullptr;
  std::size_t length_ = 0;  // from the first page on
  std::span<std::byte> bytes_;
  std::size_t slot_ = 0;  // where the handler finds it
};

}  // namespace writecanary::probe
