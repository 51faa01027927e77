// A piece of a file whose bytes all come from the same place, one after the other.
//
// The scanner (probe/verify/scanner.h) cuts a file into these; the classifier (probe/verify/classifier.h) reads them.
#pragma once

#include <cstdint>

#include "probe/pattern/pattern.h"

namespace writecanary::probe {

enum class Content : std::uint8_t {
  kOwn,      // the stream of one of this file's writers
  kFlipped,  // the same with a few wrong bits: from the first to the last wrong byte of one word
  kOther,    // the pattern of another file or run
  kZeros,
  kUnknown,  // nothing that a canary wrote
};

struct Segment {
  std::uint64_t file_offset = 0;
  std::uint64_t length = 0;
  Content content = Content::kUnknown;
  Tag tag = {};                     // own, flipped, other: whose stream
  std::uint64_t stream_offset = 0;  // own, flipped, other: where in that stream the first byte belongs

  std::uint64_t file_end() const { return file_offset + length; }
  std::uint64_t stream_end() const { return stream_offset + length; }
  friend bool operator==(const Segment&, const Segment&) = default;
};

}  // namespace writecanary::probe
