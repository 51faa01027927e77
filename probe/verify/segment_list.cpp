#include "probe/verify/segment_list.h"

#include "core/base/error.h"

namespace writecanary::probe {

// Fewer zeros than a disk sector, between bytes that nobody knows, are a part of these.
constexpr std::uint64_t kShortZeros = 512;

void SegmentList::append(const Segment& segment) {
  if (segment.length == 0) return;
  WC_CHECK(segments_.empty() || segments_.back().file_end() == segment.file_offset);
  if (segment.content == Content::kUnknown) absorb_short_zeros();
  if (joins_last(segment)) {
    segments_.back().length += segment.length;
  } else {
    segments_.push_back(segment);
  }
}

bool SegmentList::joins_last(const Segment& segment) const {
  if (segments_.empty() || segments_.back().content != segment.content) return false;
  const Segment& last = segments_.back();
  switch (segment.content) {
    case Content::kOwn:
    case Content::kOther:
      return last.tag == segment.tag && last.stream_end() == segment.stream_offset;
    case Content::kZeros:
    case Content::kUnknown:
      return true;
    case Content::kFlipped:
      return false;
  }
  return false;
}

void SegmentList::absorb_short_zeros() {
  if (segments_.size() < 2 || segments_.back().content != Content::kZeros) return;
  if (segments_.back().length >= kShortZeros) return;
  Segment& before = segments_[segments_.size() - 2];
  if (before.content != Content::kUnknown) return;
  before.length += segments_.back().length;
  segments_.pop_back();
}

}  // namespace writecanary::probe
