#include "api/documents/tar.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::api {
namespace {

constexpr std::uint64_t kBlockBytes = 512;
constexpr std::uint64_t kClosingBytes = 2 * kBlockBytes;
constexpr std::size_t kMemberNameBytesMax = 100;
constexpr std::uint64_t kFileBytesMax = 0777'7777'7777;  // eleven octal digits

std::uint64_t whole_blocks(std::uint64_t bytes) { return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes; }

}  // namespace

std::uint64_t TarArchive::Entry::size_bytes() const { return whole_blocks(head.size() + file_bytes); }

// IEEE Std 1003.1, pax, "ustar Interchange Format".
std::string TarArchive::header(const std::string& name, std::uint64_t content_bytes) const {
  std::string block(kBlockBytes, '\0');
  const auto put = [&block](std::size_t offset, const std::string& text) { block.replace(offset, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content_bytes));
  put(136, fmt::format("{:011o}", std::max<std::int64_t>(time_seconds_, 0)));
  put(148, "        ");  // the checksum counts itself as blanks
  put(156, "0");
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(265, "root");
  put(297, "root");
  const unsigned sum = std::accumulate(block.begin(), block.end(), 0U,
                                       [](unsigned total, char c) { return total + static_cast<unsigned char>(c); });
  put(148, fmt::format("{:06o}", sum) + '\0');
  return block;
}

bool TarArchive::add_text(const std::string& name, std::string content) {
  if (name.size() > kMemberNameBytesMax) return false;
  entries_.push_back({header(name, content.size()) + std::move(content), Fd(), 0});
  return true;
}

bool TarArchive::add_file(const std::string& name, Fd file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno("fstat " + name);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || size > kFileBytesMax || name.size() > kMemberNameBytesMax) return false;
  entries_.push_back({header(name, size), std::move(file), size});
  return true;
}

std::uint64_t TarArchive::size_bytes() const {
  return std::accumulate(entries_.begin(), entries_.end(), kClosingBytes,
                         [](std::uint64_t total, const Entry& entry) { return total + entry.size_bytes(); });
}

std::string TarArchive::entry_bytes(const Entry& entry, std::size_t max) const {
  if (position_ < entry.head.size()) return entry.head.substr(position_, max);
  const std::uint64_t offset = position_ - entry.head.size();
  if (offset < entry.file_bytes) {
    std::string bytes(std::min<std::uint64_t>(max, entry.file_bytes - offset), '\0');
    const std::size_t got = read_at(entry.file.get(), "evidence", offset, std::as_writable_bytes(std::span(bytes)));
    if (got > 0) bytes.resize(got);
    return bytes;
  }
  return std::string(std::min<std::uint64_t>(max, entry.size_bytes() - position_), '\0');
}

std::string TarArchive::read(std::size_t max) {
  while (current_ < entries_.size() && position_ == entries_[current_].size_bytes()) {
    ++current_;
    position_ = 0;
  }
  std::string bytes = current_ < entries_.size()
                          ? entry_bytes(entries_[current_], max)
                          : std::string(std::min<std::uint64_t>(max, kClosingBytes - position_), '\0');
  position_ += bytes.size();
  return bytes;
}

}  // namespace writecanary::api
