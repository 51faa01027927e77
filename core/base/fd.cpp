#include "core/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/error.h"

namespace writecanary {

void Fd::reset() {
  if (fd_ < 0) return;
  const int saved = errno;  // destructors run between a failed call and the report of it
  close(std::exchange(fd_, -1));
  errno = saved;
}

Fd open_file(const std::string& path, int flags, unsigned mode) {
  Fd fd{open(path.c_str(), flags | O_CLOEXEC, mode)};
  if (!fd) throw_errno("open " + path);
  return fd;
}

std::string read_file(const std::string& path) { return read_to_end(open_file(path, O_RDONLY).get(), path); }

std::string read_to_end(int fd, const std::string& name) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got == 0) return text;
    if (got > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw_errno("read " + name);
    }
  }
}

std::size_t read_at(int fd, const std::string& name, std::uint64_t offset, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      throw_errno("read " + name + " at offset " + std::to_string(offset + done));
    }
  }
  return done;
}

std::uint64_t file_size(int fd, const std::string& name) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("stat " + name);
  return static_cast<std::uint64_t>(status.st_size);
}

void write_control_file(const std::string& path, std::string_view value) {
  const std::string tried = "write \"" + std::string(value) + "\" to " + path;
  const Fd fd{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!fd) throw_errno(tried);
  ssize_t wrote = 0;
  do {
    wrote = write(fd.get(), value.data(), value.size());
  } while (wrote < 0 && errno == EINTR);
  if (wrote < 0) throw_errno(tried);
  if (static_cast<std::size_t>(wrote) != value.size()) throw SystemError(tried + ": only a part was taken", EIO);
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      throw_errno("write to descriptor " + std::to_string(fd));
    }
  }
}

}  // namespace writecanary
