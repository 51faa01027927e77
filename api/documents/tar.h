// A tar archive (POSIX ustar) that is produced as it is read, so that evidence never stands in memory as a whole.
// Regular files only; names up to 100 bytes, files below 8 GiB.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/fd.h"

namespace writecanary::api {

class TarArchive {
 public:
  explicit TarArchive(std::int64_t time_seconds) : time_seconds_(time_seconds) {}

  // False when the name is too long for the format; nothing is then added.
  bool add_text(const std::string& name, std::string content);
  // Takes the file; as many bytes as it has now are archived. The same, and false when it is no regular file.
  bool add_file(const std::string& name, Fd file);

  std::uint64_t size_bytes() const;
  // The next bytes, in order, at most `max`; empty at the end. A file that has become shorter is filled up with zeros.
  // Throws SystemError when a file cannot be read.
  std::string read(std::size_t max);

 private:
  struct Entry {
    std::string head;  // header, and for texts the content
    Fd file;           // else the content
    std::uint64_t file_bytes = 0;
    std::uint64_t size_bytes() const;  // in the archive, filled up to whole blocks
  };
  std::string header(const std::string& name, std::uint64_t content_bytes) const;
  std::string entry_bytes(const Entry& entry, std::size_t max) const;

  std::int64_t time_seconds_;
  std::vector<Entry> entries_;
  std::size_t current_ = 0;     // entry that is being read; entries_.size(): the two closing blocks
  std::uint64_t position_ = 0;  // within it
};

}  // namespace writecanary::api
