// What the classifier's parts pass to each other: own bytes as pieces, everything else as damage.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "probe/verify/classifier.h"

namespace writecanary::probe {

// Bytes of one writer's stream without a break; flipped words are a part of it.
struct Piece {
  std::uint64_t file_offset = 0;
  std::uint64_t length = 0;
  std::uint32_t writer = 0;
  std::uint64_t stream_offset = 0;

  std::uint64_t file_end() const { return file_offset + length; }
  std::uint64_t stream_end() const { return stream_offset + length; }
  // The same but for the first bytes.
  Piece without(std::uint64_t bytes) const {
    return {file_offset + bytes, length - bytes, writer, stream_offset + bytes};
  }
};

// A segment that is not of this file, and how much of what it replaced is known.
struct Damage {
  Segment segment;
  std::uint64_t excused = 0;                  // bytes of gaps that it stands in the place of, at most its length
  std::optional<Fault::Place> replaced = {};  // the first of these
};

// The damage in a file, in file order. Each of its bytes can excuse the absence of one own byte.
class DamageList {
 public:
  void add(const Segment& segment) { damages_.push_back({.segment = segment}); }

  struct Excuse {
    std::uint64_t bytes = 0;        // of the gap, from its beginning
    std::uint64_t file_offset = 0;  // behind the damage that was used
  };
  // Looks for damage within [file_begin, file_end) for a gap of `length` bytes that begins at `place`.
  Excuse excuse(std::uint64_t file_begin, std::uint64_t file_end, Fault::Place place, std::uint64_t length);
  std::span<const Damage> all() const { return damages_; }

 private:
  std::vector<Damage> damages_;
};

// Faults for damage, flipped bits and what stands beyond the end.
void judge_damage(std::span<const Segment> segments, std::span<const Piece> pieces, const DamageList& damages,
                  const LogIndex& index, std::vector<Fault>& faults);

// Torn writes. `firsts` are the first occurrences of acknowledged bytes, `pieces` all; both in file order.
void judge_atomicity(std::span<const Piece> firsts, std::span<const Piece> pieces, const LogIndex& index,
                     std::vector<Fault>& faults);

// The pieces without what no write acknowledged: beyond the end of a stream, or the rest of a write whose rest is
// excused before the next one takes it up.
std::vector<Piece> acknowledged_pieces(std::vector<Piece> pieces, const LogIndex& index);

}  // namespace writecanary::probe
