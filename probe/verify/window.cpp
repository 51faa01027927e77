#include "probe/verify/window.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kMappedBytes = std::uint64_t{4} << 20;  // a mapping and its end cost little beside so many

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14; an older kernel says EINVAL
#endif

}  // namespace

Window::Window(int fd, std::string name, std::uint64_t size_bytes, std::span<std::uint64_t> buffer, Access access)
    : fd_(fd), name_(std::move(name)), size_(size_bytes), buffer_(buffer), access_(access) {}

std::span<const std::uint64_t> Window::words(std::uint64_t position) {
  const bool aligned = position >= base_ && position < end() && (position - base_) % sizeof(std::uint64_t) == 0;
  if (!aligned || (end() - position < sizeof(std::uint64_t) && end() < size_)) load(position);
  return words_.subspan((position - base_) / sizeof(std::uint64_t), (end() - position) / sizeof(std::uint64_t));
}

std::span<const std::byte> Window::bytes(std::uint64_t position, std::size_t count) {
  if (position < base_ || position >= end() || (end() - position < count && end() < size_)) load(position);
  const std::uint64_t available = std::min<std::uint64_t>(count, end() - position);
  return std::as_bytes(words_).subspan(position - base_, available);
}

void Window::load(std::uint64_t position) {
  if (!map(position)) read(position);
}

// MADV_POPULATE_READ brings the pages in and says so when it cannot, before anything is seen of them.
bool Window::map(std::uint64_t position) {
  unmap();
  if (access_ != Access::kMapped || position % sizeof(std::uint64_t) != 0 || position >= size_) return false;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t begin = position - position % page;
  const std::uint64_t length = std::min(kMappedBytes, size_ - begin);
  mapping_ = FileMapping(fd_, begin, length, PROT_READ, MAP_SHARED);
  if (mapping_.bytes().empty()) return false;
  std::byte* memory = mapping_.bytes().data();
  if (madvise(memory, length, MADV_POPULATE_READ) != 0) {
    unmap();
    return false;
  }
  base_ = begin;
  filled_ = length;
  words_ = {reinterpret_cast<const std::uint64_t*>(memory),
            (length + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)};
  return true;
}

void Window::unmap() {
  if (mapping_.bytes().empty()) return;
  lost_ = lost_a_page();
  mapping_ = {};
  filled_ = 0;
}

void Window::read(std::uint64_t position) {
  base_ = position;
  filled_ = 0;
  words_ = buffer_;
  const std::uint64_t wanted = position < size_ ? std::min(buffer_.size_bytes(), size_ - position) : 0;
  filled_ = read_at(fd_, name_, base_, std::as_writable_bytes(buffer_).first(wanted));
  if (filled_ < wanted) size_ = base_ + filled_;
}

}  // namespace writecanary::probe
