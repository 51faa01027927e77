// Says what is wrong with a file, given where its bytes come from and what was acknowledged. Pure.
//
// Each writer's stream is followed through the file. Bytes already seen are a duplicate, and what comes behind them is
// merely shifted; a gap that stays is missing, a gap that a later piece fills makes that piece misplaced; bytes that
// are no own ones are damage, in place of what they replaced as far as a gap lies around them, inserted otherwise.
// With several writers a write whose bytes stand apart with another writer's in between is torn.
//
// Decisions where several readings are possible:
//  - bytes that stand in place of others, with the stream going on in line behind them, are the odd ones, even if they
//    come first in the file: they are the duplicate or misplaced, not what follows;
//  - zeros or unknown bytes behind the last own byte that replace nothing are one size mismatch to the end of the
//    file; another run's pattern there is stale;
//  - the unacknowledged rest of a short or failed write may stand in the file once, before the next write or at the
//    end, and is not judged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/run/finding.h"
#include "probe/pattern/file_log.h"
#include "probe/verify/segment.h"

namespace writecanary::probe {

// A finding before it is put in words: small, so that any number of them can be held.
struct Fault {
  struct Place {
    std::uint32_t writer = 0;
    std::uint64_t stream_offset = 0;
  };
  FindingKind kind = FindingKind::kForeign;
  std::uint64_t file_offset = 0;
  std::uint64_t length = 0;
  std::optional<std::uint64_t> source =
      {};                           // stream offset that the content (missing, torn: the write's bytes) belongs to
  const WriteRef* write = nullptr;  // points into the log
  const WriteRef* intruder = nullptr;
  std::optional<Place> expected = {};  // what should stand at file_offset
  Tag other = {};                      // stale: whose
};

// The segments tile the file. The faults come in file order; whatever the segments are, there is an answer.
std::vector<Fault> classify(std::span<const Segment> segments, const LogIndex& index);

}  // namespace writecanary::probe
