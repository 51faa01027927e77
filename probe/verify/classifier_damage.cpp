// Bytes that are not of this file: what they stand in the place of, and what to call them.
#include <algorithm>
#include <iterator>
#include <vector>

#include "probe/verify/classifier_parts.h"

namespace writecanary::probe {
namespace {

FindingKind kind_of(Content content) {
  switch (content) {
    case Content::kOther:
      return FindingKind::kStale;
    case Content::kZeros:
      return FindingKind::kZeroed;
    case Content::kFlipped:
      return FindingKind::kBitflip;
    default:
      return FindingKind::kForeign;
  }
}

// The last piece that begins at or before the offset; null when there is none.
const Piece* piece_before(std::span<const Piece> pieces, std::uint64_t file_offset) {
  const auto behind = std::ranges::upper_bound(pieces, file_offset, {}, &Piece::file_offset);
  return behind == pieces.begin() ? nullptr : &*std::prev(behind);
}

// What the stream before the offset would go on with there.
std::optional<Fault::Place> continuation(std::span<const Piece> pieces, std::uint64_t file_offset) {
  const Piece* piece = piece_before(pieces, file_offset);
  if (piece == nullptr) return std::nullopt;
  return Fault::Place{piece->writer, piece->stream_offset + (file_offset - piece->file_offset)};
}

void judge_flips(std::span<const Segment> segments, std::span<const Piece> pieces, const LogIndex& index,
                 std::vector<Fault>& faults) {
  for (const Segment& segment : segments) {
    if (segment.content != Content::kFlipped) continue;
    const Piece* piece = piece_before(pieces, segment.file_offset);
    if (piece == nullptr || segment.file_offset >= piece->file_end()) continue;  // not acknowledged
    faults.push_back({.kind = FindingKind::kBitflip,
                      .file_offset = segment.file_offset,
                      .length = segment.length,
                      .source = segment.stream_offset,
                      .write = index.find_write(segment.tag.writer, segment.stream_offset),
                      .expected = Fault::Place{segment.tag.writer, segment.stream_offset}});
  }
}

}  // namespace

DamageList::Excuse DamageList::excuse(std::uint64_t file_begin, std::uint64_t file_end, Fault::Place place,
                                      std::uint64_t length) {
  const auto offset_of = [](const Damage& damage) { return damage.segment.file_offset; };
  Excuse result;
  auto damage = std::ranges::lower_bound(damages_, file_begin, {}, offset_of);
  for (; damage != damages_.end() && offset_of(*damage) < file_end && result.bytes < length; ++damage) {
    const std::uint64_t used = std::min(damage->segment.length - damage->excused, length - result.bytes);
    if (used == 0) continue;
    if (!damage->replaced) damage->replaced = Fault::Place{place.writer, place.stream_offset + result.bytes};
    damage->excused += used;
    result.bytes += used;
    result.file_offset = offset_of(*damage) + damage->excused;
  }
  return result;
}

void judge_damage(std::span<const Segment> segments, std::span<const Piece> pieces, const DamageList& damages,
                  const LogIndex& index, std::vector<Fault>& faults) {
  judge_flips(segments, pieces, index, faults);
  const auto last_own = std::ranges::find_if(segments.rbegin(), segments.rend(), [](const Segment& segment) {
    return segment.content == Content::kOwn || segment.content == Content::kFlipped;
  });
  const std::uint64_t own_end = last_own == segments.rend() ? 0 : last_own->file_end();
  std::optional<std::uint64_t> excess;  // where the file goes on for no reason
  for (const Damage& damage : damages.all()) {
    const Segment& segment = damage.segment;
    Fault fault{.kind = kind_of(segment.content),
                .file_offset = segment.file_offset,
                .length = segment.length,
                .expected = continuation(pieces, segment.file_offset),
                .other = segment.tag};
    if (segment.content == Content::kOther) fault.source = segment.stream_offset;
    if (damage.replaced) {
      fault.expected = damage.replaced;
      fault.write = index.find_write(damage.replaced->writer, damage.replaced->stream_offset);
    }
    const bool trailing = segment.file_offset >= own_end && segment.content != Content::kOther;
    if (trailing && damage.excused < segment.length && !excess) excess = segment.file_offset + damage.excused;
    if (trailing) fault.length = damage.excused;
    if (fault.length > 0) faults.push_back(fault);
  }
  if (excess) {
    faults.push_back({.kind = FindingKind::kSizeMismatch,
                      .file_offset = *excess,
                      .length = segments.back().file_end() - *excess,
                      .expected = continuation(pieces, *excess)});
  }
}

}  // namespace writecanary::probe
