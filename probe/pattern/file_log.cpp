#include "probe/pattern/file_log.h"

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"

namespace writecanary::probe {

std::uint64_t acknowledged(const WriteRef& write) {
  const auto result = static_cast<std::uint64_t>(std::max<std::int64_t>(write.result, 0));
  return std::min(result, write.length_bytes);
}

LogIndex::LogIndex(const FileLog& log) : log_(log) {
  WC_CHECK(!log.writers.empty() && log.writers.size() <= kWriterTagMax + std::size_t{1});
  for (std::size_t writer = 0; writer < log.writers.size(); ++writer) {
    Tag tag = log.tag;
    tag.writer = static_cast<std::uint8_t>(writer);
    Stream stream{.pattern = Pattern(tag, log.incompressible)};
    for (const WriteRef& write : log.writers[writer]) {
      WC_CHECK(write.stream_offset_bytes == stream.acknowledged);
      const std::uint64_t end = write.stream_offset_bytes + write.length_bytes;
      stream.acknowledged += probe::acknowledged(write);
      stream.attempted = std::max(stream.attempted, end);
      const bool failed = write.result < 0 && write.result != -EAGAIN;
      if (end > stream.acknowledged) {
        stream.tails.push_back({stream.acknowledged, end, failed || log.writers.size() > 1});
      }
    }
    WC_CHECK(stream.attempted <= kStreamBytesMax);
    streams_.push_back(std::move(stream));
  }
}

void LogIndex::expect(std::uint32_t writer, std::uint64_t stream_offset, std::span<std::byte> bytes) const {
  if (log_.extender == writer) {
    std::ranges::fill(bytes, std::byte{0});
  } else {
    pattern(writer).fill_bytes(stream_offset, bytes);
  }
}

std::uint64_t LogIndex::acknowledged_bytes() const {
  std::uint64_t sum = 0;
  for (const Stream& stream : streams_) sum += stream.acknowledged;
  return sum;
}

std::uint64_t LogIndex::attempted_bytes() const {
  std::uint64_t sum = acknowledged_bytes();
  for (const Stream& stream : streams_) {
    for (const Tail& tail : stream.tails) sum += tail.end - tail.begin;
  }
  return sum;
}

std::uint64_t LogIndex::write_count() const {
  std::uint64_t sum = 0;
  for (const auto& writes : log_.writers) sum += writes.size();
  return sum;
}

const WriteRef* LogIndex::find_write(std::uint32_t writer, std::uint64_t stream_offset) const {
  if (stream_offset >= acknowledged_bytes(writer)) return nullptr;
  const auto& writes = log_.writers[writer];
  // Of the writes that begin at one offset only the last can have acknowledged anything.
  const auto behind = std::ranges::upper_bound(writes, stream_offset, {}, &WriteRef::stream_offset_bytes);
  return &*std::prev(behind);
}

bool LogIndex::ends_write(std::uint32_t writer, std::uint64_t stream_offset) const {
  if (stream_offset == acknowledged_bytes(writer) || stream_offset == attempted_bytes(writer)) return true;
  const auto& writes = log_.writers[writer];
  return std::ranges::binary_search(writes, stream_offset, {}, &WriteRef::stream_offset_bytes);
}

}  // namespace writecanary::probe
