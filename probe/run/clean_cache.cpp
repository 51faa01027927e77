#include "probe/run/clean_cache.h"

#include <unistd.h>

#include <algorithm>

#include "core/base/error.h"

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
  if (fdatasync(fd_.get()) != 0) throw_errno("fdatasync");
}

void CleanCache::refill() {
  for (std::uint64_t at = 0; at < bytes_;) {
    const ssize_t got = pread(fd_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(at));
    if (got <= 0) throw_errno("read the clean cache");
    at += static_cast<std::uint64_t>(got);
  }
}

}  // namespace writecanary::probe
