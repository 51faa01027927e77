#include "probe/verify/extensions.h"

namespace writecanary::probe {

std::vector<Segment> with_extensions(std::vector<Segment> segments, const FileLog& log) {
  if (!log.extender) return segments;
  Tag tag = log.tag;
  tag.writer = static_cast<std::uint8_t>(*log.extender);
  const auto& extensions = log.writers[*log.extender];
  auto next = extensions.begin();
  std::vector<Segment> result;
  result.reserve(segments.size() + extensions.size());
  for (Segment rest : segments) {
    while (rest.content == Content::kZeros && next != extensions.end() && acknowledged(*next) <= rest.length) {
      const std::uint64_t length = acknowledged(*next);
      if (length > 0) result.push_back({rest.file_offset, length, Content::kOwn, tag, next->stream_offset_bytes});
      rest.file_offset += length;
      rest.length -= length;
      ++next;
    }
    if (rest.length > 0) result.push_back(rest);
  }
  return result;
}

}  // namespace writecanary::probe
