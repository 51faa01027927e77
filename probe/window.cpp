#include "probe/window.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/error.h"

namespace writecanary::probe {

Window::Window(int fd, std::string name, std::uint64_t size_bytes, std::span<std::uint64_t> buffer)
    : fd_(fd), name_(std::move(name)), size_(size_bytes), buffer_(buffer) {}

std::span<const std::uint64_t> Window::words(std::uint64_t position) {
  const bool aligned = position >= base_ && position < end() && (position - base_) % sizeof(std::uint64_t) == 0;
  if (!aligned || (end() - position < sizeof(std::uint64_t) && end() < size_)) load(position);
  return std::span<const std::uint64_t>(buffer_).subspan((position - base_) / sizeof(std::uint64_t),
                                                         (end() - position) / sizeof(std::uint64_t));
}

std::span<const std::byte> Window::bytes(std::uint64_t position, std::size_t count) {
  if (position < base_ || position >= end() || (end() - position < count && end() < size_)) load(position);
  const std::uint64_t available = std::min<std::uint64_t>(count, end() - position);
  return std::as_bytes(std::span<const std::uint64_t>(buffer_)).subspan(position - base_, available);
}

void Window::load(std::uint64_t position) {
  base_ = position;
  filled_ = 0;
  const std::uint64_t wanted = position < size_ ? std::min(buffer_.size_bytes(), size_ - position) : 0;
  auto* const memory = reinterpret_cast<char*>(buffer_.data());
  while (filled_ < wanted) {
    const ssize_t got = pread(fd_, memory + filled_, wanted - filled_, static_cast<off_t>(base_ + filled_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(fmt::format("read {} at offset {}", name_, base_ + filled_));
    if (got == 0) {
      size_ = base_ + filled_;
      break;
    }
    filled_ += static_cast<std::uint64_t>(got);
  }
}

}  // namespace writecanary::probe
