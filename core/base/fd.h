// A file descriptor that closes itself, and the few calls on descriptors that every program here needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace writecanary {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added. Throws SystemError that names the path.
Fd open_file(const std::string& path, int flags, unsigned mode = 0);
// The whole of a small file (/proc, /sys, a token). Throws SystemError.
std::string read_file(const std::string& path);
// Everything up to the end of a descriptor. Throws SystemError; `name` is for its text.
std::string read_to_end(int fd, const std::string& name);
// Reads from `offset` on until `out` is full or the file ends, with pread(2). Returns the bytes read. Throws
// SystemError.
std::size_t read_at(int fd, const std::string& name, std::uint64_t offset, std::span<std::byte> out);
// As fstat(2) has it. Throws SystemError.
std::uint64_t file_size(int fd, const std::string& name);
// Writes all of it with one write(2), as control files want it. Throws SystemError that names path and value.
void write_control_file(const std::string& path, std::string_view value);
// Writes all of it, continuing after short writes. Throws SystemError.
void write_all(int fd, std::string_view bytes);

}  // namespace writecanary
