#include "tests/mutants/witness/trial_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/error.h"

namespace writecanary::mutants {
namespace {

constexpr int kEvictionsMax = 50;  // what is locked or being written back stays; it does not for long

char* map_anonymous(std::int64_t length) {
  void* memory =
      mmap(nullptr, static_cast<std::size_t>(length), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_errno("mmap of memory");
  if (madvise(memory, static_cast<std::size_t>(length), MADV_NOHUGEPAGE) != 0) throw_errno("madvise(NOHUGEPAGE)");
  return static_cast<char*>(memory);
}

int open_or_throw(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) throw_errno("open " + path);
  return fd;
}

void whole(ssize_t did, std::int64_t wanted, const char* call) {
  if (did == wanted) return;
  if (did >= 0) errno = ENODATA;
  throw_errno(std::string(call) + " of " + std::to_string(wanted) + " bytes, result " + std::to_string(did));
}

bool resident(int fd, std::int64_t size) {
  if (size == 0) return false;
  void* memory = mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) throw_errno("mmap to look what is resident");
  std::vector<unsigned char> pages(static_cast<std::size_t>((size + kPage - 1) / kPage));
  const int result = mincore(memory, static_cast<std::size_t>(size), pages.data());
  munmap(memory, static_cast<std::size_t>(size));
  if (result != 0) throw_errno("mincore");
  return std::ranges::any_of(pages, [](unsigned char page) { return (page & 1U) != 0; });
}

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

constexpr const char* kCgroup = "/sys/fs/cgroup/witness";

}  // namespace

Memory::Memory(std::int64_t length, char letter) : data_(map_anonymous(length)), length_(length) {
  std::memset(data_, letter, static_cast<std::size_t>(length));
}

Memory::~Memory() { munmap(data_, static_cast<std::size_t>(length_)); }

void Memory::forbid(std::int64_t from) const {
  if (mprotect(data_ + from, static_cast<std::size_t>(length_ - from), PROT_NONE) != 0) throw_errno("mprotect");
}

std::string other_than(const char* bytes, std::int64_t length, char letter, std::int64_t offset) {
  const char* end = bytes + length;
  const char* first = std::find_if(bytes, end, [letter](char byte) { return byte != letter; });
  if (first == end) return "";
  const char* last = std::find_if(first, end, [first](char byte) { return byte != *first; });
  const auto shown = [](char byte) {
    return byte >= 'a' && byte <= 'z' ? std::string{'"', byte, '"'} : std::to_string(static_cast<unsigned char>(byte));
  };
  return "bytes " + std::to_string(offset + (first - bytes)) + " to " + std::to_string(offset + (last - bytes) - 1) +
         " are " + shown(*first) + ", not " + shown(letter);
}

TrialFile::TrialFile(const std::string& directory, const std::string& name)
    : path_(directory + "/" + name), fd_(open_or_throw(path_, O_CREAT | O_RDWR | O_TRUNC)) {}

TrialFile::~TrialFile() {
  close_it();
  unlink(path_.c_str());
}

std::int64_t TrialFile::size() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) throw_errno("fstat " + path_);
  return status.st_size;
}

void TrialFile::write(std::int64_t offset, std::int64_t length, char letter) const {
  const Memory memory(length, letter);
  whole(pwrite(fd_, memory.data(), static_cast<std::size_t>(length), offset), length, "write");
}

void TrialFile::write_direct(std::int64_t offset, std::int64_t length, char letter) const {
  const Memory memory(length, letter);
  const int fd = open_or_throw(path_, O_RDWR | O_DIRECT);
  const ssize_t did = pwrite(fd, memory.data(), static_cast<std::size_t>(length), offset);
  close(fd);
  whole(did, length, "direct write");
}

void TrialFile::truncate(std::int64_t size) const {
  if (ftruncate(fd_, size) != 0) throw_errno("ftruncate " + path_);
}

void TrialFile::allocate(int mode, std::int64_t offset, std::int64_t length) const {
  if (fallocate(fd_, mode, offset, length) != 0) throw_errno("fallocate " + path_);
}

void TrialFile::sync() const {
  if (fsync(fd_) != 0) throw_errno("fsync " + path_);
}

void TrialFile::evict() const {
  struct statfs filesystem {};
  if (fstatfs(fd_, &filesystem) != 0) throw_errno("statfs " + path_);
  if (filesystem.f_type == TMPFS_MAGIC) return;  // the page cache is its storage
  for (int attempt = 0; attempt < kEvictionsMax; ++attempt) {
    sync();
    if (posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED) != 0) throw_errno("posix_fadvise " + path_);
    if (!resident(fd_, size())) return;
  }
  errno = EBUSY;
  throw_errno("evict " + path_);
}

void TrialFile::read_through() const {
  const Memory memory(64 * kKiB);
  for (std::int64_t offset = 0; offset < size(); offset += memory.length()) {
    if (pread(fd_, memory.data(), static_cast<std::size_t>(memory.length()), offset) < 0) throw_errno("read " + path_);
  }
}

void TrialFile::close_it() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void TrialFile::reopen() {
  close_it();
  fd_ = open_or_throw(path_, O_RDWR);
}

void TrialFile::reopen_to_read() {
  close_it();
  fd_ = open_or_throw(path_, O_RDONLY);
}

std::string TrialFile::wrong(std::int64_t offset, std::int64_t length, char letter) const {
  const Memory memory(length, '#');
  whole(pread(fd_, memory.data(), static_cast<std::size_t>(length), offset), length, "read");
  return other_than(memory.data(), length, letter, offset);
}

std::string TrialFile::wrong_direct(std::int64_t offset, std::int64_t length, char letter) const {
  const Memory memory(length, '#');
  const int fd = open_or_throw(path_, O_RDONLY | O_DIRECT);
  const ssize_t did = pread(fd, memory.data(), static_cast<std::size_t>(length), offset);
  close(fd);
  whole(did, length, "direct read");
  return other_than(memory.data(), length, letter, offset);
}

Mapping::Mapping(const TrialFile& file, std::int64_t length) : length_(length) {
  void* memory = mmap(nullptr, static_cast<std::size_t>(length), PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (memory == MAP_FAILED) throw_errno("mmap " + file.path());
  data_ = static_cast<char*>(memory);
}

Mapping::~Mapping() { munmap(data_, static_cast<std::size_t>(length_)); }

void Mapping::store(std::int64_t offset, std::int64_t length, char letter) const {
  std::memset(data_ + offset, letter, static_cast<std::size_t>(length));
}

void Mapping::sync() const {
  if (msync(data_, static_cast<std::size_t>(length_), MS_SYNC) != 0) throw_errno("msync");
}

std::string Mapping::wrong(std::int64_t offset, std::int64_t length, char letter) const {
  return other_than(data_ + offset, length, letter, offset);
}

void clone(const TrialFile& source, const TrialFile& target) {
  if (ioctl(target.fd(), FICLONE, source.fd()) != 0) throw_errno("FICLONE to " + target.path());
}

void write_text(const std::string& path, const std::string& text) {
  const int fd = open_or_throw(path, O_WRONLY);
  const ssize_t did = ::write(fd, text.data(), text.size());
  close(fd);
  whole(did, static_cast<std::int64_t>(text.size()), ("write to " + path).c_str());
}

Contained::Contained(std::int64_t limit_bytes) {
  if (mkdir(kCgroup, 0755) != 0 && errno != EEXIST) throw_errno(std::string("mkdir ") + kCgroup);
  write_text(std::string(kCgroup) + "/memory.max", std::to_string(limit_bytes));
  write_text(std::string(kCgroup) + "/cgroup.procs", "0");
}

Contained::~Contained() {
  write_text("/sys/fs/cgroup/cgroup.procs", "0");
  rmdir(kCgroup);
}

Attempts::Attempts(int seconds) : end_ms_(now_ms() + seconds * 1000L) {}

bool Attempts::more() const { return now_ms() < end_ms_; }

}  // namespace writecanary::mutants
