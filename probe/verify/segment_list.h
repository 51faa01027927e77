// Collects segments in file order and joins those that belong together.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "probe/verify/segment.h"

namespace writecanary::probe {

class SegmentList {
 public:
  // Behind the last one. Empty segments are ignored.
  void append(const Segment& segment);
  std::size_t size() const { return segments_.size(); }
  std::vector<Segment> take() { return std::move(segments_); }

 private:
  bool joins_last(const Segment& segment) const;
  void absorb_short_zeros();

  std::vector<Segment> segments_;
};

}  // namespace writecanary::probe
