// A file that a witness tries something on, and memory to do it with. Every call throws SystemError when it does not do
// all that it was asked for; what a kernel gives back is compared, never trusted.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace writecanary::mutants {

inline constexpr std::int64_t kPage = 4096;
inline constexpr std::int64_t kKiB = 1024;
inline constexpr std::int64_t kMiB = 1024 * kKiB;

// Anonymous pages that are small and lie where they happen to lie, filled with one letter; freed by the destructor.
class Memory {
 public:
  explicit Memory(std::int64_t length, char letter = '\0');
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* data() const { return data_; }
  std::int64_t length() const { return length_; }
  // From there on reading it fails with EFAULT.
  void forbid(std::int64_t from) const;

 private:
  char* data_;
  std::int64_t length_;
};

// What of `length` bytes is not `letter`: `bytes 4100 to 4195 are "b", not "a"`, offsets counted from `offset`; or
// nothing.
std::string other_than(const char* bytes, std::int64_t length, char letter, std::int64_t offset);

class TrialFile {
 public:
  // Created empty; removed by the destructor.
  explicit TrialFile(const std::string& directory, const std::string& name = "file");
  ~TrialFile();
  TrialFile(const TrialFile&) = delete;
  TrialFile& operator=(const TrialFile&) = delete;

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  std::int64_t size() const;

  void write(std::int64_t offset, std::int64_t length, char letter) const;
  void write_direct(std::int64_t offset, std::int64_t length, char letter) const;
  void truncate(std::int64_t size) const;
  void allocate(int mode, std::int64_t offset, std::int64_t length) const;
  void sync() const;
  // Writes back and drops the page cache; returns once no page of it is left.
  void evict() const;
  void read_through() const;
  // What is open is closed first.
  void reopen();
  void reopen_to_read();
  void close_it();

  // As other_than(), of what a buffered or a direct read returns.
  std::string wrong(std::int64_t offset, std::int64_t length, char letter) const;
  std::string wrong_direct(std::int64_t offset, std::int64_t length, char letter) const;

 private:
  std::string path_;
  int fd_;
};

// A shared mapping of the beginning of a file, readable and writable; undone by the destructor.
class Mapping {
 public:
  Mapping(const TrialFile& file, std::int64_t length);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  volatile char* data() const { return data_; }
  void store(std::int64_t offset, std::int64_t length, char letter) const;
  void sync() const;
  std::string wrong(std::int64_t offset, std::int64_t length, char letter) const;

 private:
  char* data_;
  std::int64_t length_;
};

// Makes all of one file the content of the other, which shares its blocks from then on.
void clone(const TrialFile& source, const TrialFile& target);

void write_text(const std::string& path, const std::string& text);

// This process under a memory limit of its own, with everything that it brings into the page cache; lifted by the
// destructor.
class Contained {
 public:
  explicit Contained(std::int64_t limit_bytes);
  ~Contained();
  Contained(const Contained&) = delete;
  Contained& operator=(const Contained&) = delete;
};

// The time that a witness gives two calls to meet.
class Attempts {
 public:
  explicit Attempts(int seconds);
  bool more() const;

 private:
  std::int64_t end_ms_;
};

}  // namespace writecanary::mutants
