#include "probe/run/clean_cache.h"

#include <unistd.h>

#include <cerrno>
#include <span>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/retried.h"

namespace writecanary::probe {
namespace {

constexpr char kName[] = "clean-cache";
constexpr std::size_t kBufferBytes = 256UL * 1024;

}  // namespace

CleanCache::CleanCache(const Workspace& workspace, std::uint64_t bytes)
    : fd_(workspace.create(kName, 0)), bytes_(bytes), buffer_(kBufferBytes, 'c') {
  workspace.remove(kName);  // lives as long as the descriptor
  for (std::uint64_t done = 0; done < bytes_; done += buffer_.size())
    write_all(fd_.get(), {buffer_.data(), buffer_.size()});
  if (retried([&] { return fdatasync(fd_.get()); }) != 0) throw_errno("fdatasync");
}

void CleanCache::refill() {
  const auto buffer = std::as_writable_bytes(std::span(buffer_));
  for (std::uint64_t at = 0; at < bytes_; at += buffer.size()) {
    if (read_at(fd_.get(), kName, at, buffer) != buffer.size()) throw SystemError("read the clean cache", EIO);
  }
}

}  // namespace writecanary::probe
