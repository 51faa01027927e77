#include "probe/verify/classifier_order.h"

#include <algorithm>
#include <iterator>

namespace writecanary::probe {

void StreamOrder::place(const Piece& piece, const Piece* next) {
  if (stands_aside(piece, next)) {
    aside_.push_back({piece, high_});
  } else {
    settle(piece, last_end_);
    last_end_ = piece.stream_end();
  }
}

// Whether the piece jumps ahead while the next one goes on as if it had not.
bool StreamOrder::stands_aside(const Piece& piece, const Piece* next) const {
  if (next == nullptr || piece.stream_offset <= high_) return false;
  return next->stream_offset < piece.stream_offset && next->stream_offset - high_ == next->file_offset - high_file_;
}

void StreamOrder::finish(std::uint64_t file_size) {
  if (high_ < index_.acknowledged_bytes(writer_)) open_gap(index_.acknowledged_bytes(writer_), file_size);
  for (const Aside& aside : aside_) settle(aside.piece, aside.expected);
  for (const auto& [begin, gap] : gaps_) {
    if (gap.replaced) continue;
    faults_.push_back({.kind = FindingKind::kMissing,
                       .file_offset = gap.file_offset,
                       .length = gap.end - begin,
                       .source = begin,
                       .write = index_.find_write(writer_, begin),
                       .expected = Fault::Place{writer_, begin}});
  }
}

void StreamOrder::settle(Piece piece, std::uint64_t expected) {
  if (piece.stream_offset > high_) open_gap(piece.stream_offset, piece.file_offset);
  while (piece.length > 0) {
    const auto next_gap = gaps_.upper_bound(piece.stream_offset);
    const auto gap = next_gap == gaps_.begin() ? gaps_.end() : std::prev(next_gap);
    std::uint64_t taken;
    if (piece.stream_offset == high_) {
      taken = take_new(piece);
    } else if (gap != gaps_.end() && piece.stream_offset < gap->second.end) {
      taken = take_from_gap(piece, gap, expected);
    } else {
      taken = take_seen(piece, next_gap, expected);
    }
    piece = piece.without(taken);
    expected += taken;
  }
}

// From high_ up to `end`; what is there instead stands before `file_offset`.
void StreamOrder::open_gap(std::uint64_t end, std::uint64_t file_offset) {
  const auto excuse = damages_.excuse(high_file_, file_offset, {writer_, high_}, end - high_);
  if (excuse.bytes > 0) {
    gaps_[high_] = {high_ + excuse.bytes, high_file_, true};
    high_ += excuse.bytes;
    high_file_ = excuse.file_offset;
  }
  if (high_ < end) gaps_[high_] = {end, high_file_, false};
  high_ = end;
}

std::uint64_t StreamOrder::take_new(const Piece& piece) {
  firsts_.push_back(piece);
  high_ = piece.stream_end();
  high_file_ = piece.file_end();
  return piece.length;
}

std::uint64_t StreamOrder::take_from_gap(const Piece& piece, Gaps::iterator gap, std::uint64_t expected) {
  const auto [begin, whole] = *gap;
  const std::uint64_t end = std::min(piece.stream_end(), whole.end);
  gaps_.erase(gap);
  if (begin < piece.stream_offset) gaps_[begin] = {piece.stream_offset, whole.file_offset, whole.replaced};
  if (end < whole.end) gaps_[end] = whole;
  const std::uint64_t length = end - piece.stream_offset;
  firsts_.push_back({piece.file_offset, length, writer_, piece.stream_offset});
  report(FindingKind::kMisplaced, piece, length, expected);
  return length;
}

std::uint64_t StreamOrder::take_seen(const Piece& piece, Gaps::iterator next_gap, std::uint64_t expected) {
  const std::uint64_t end = next_gap == gaps_.end() ? high_ : next_gap->first;
  const std::uint64_t length = std::min(piece.stream_end(), end) - piece.stream_offset;
  report(FindingKind::kDuplicate, piece, length, expected);
  return length;
}

void StreamOrder::report(FindingKind kind, const Piece& piece, std::uint64_t length, std::uint64_t expected) {
  faults_.push_back({.kind = kind,
                     .file_offset = piece.file_offset,
                     .length = length,
                     .source = piece.stream_offset,
                     .write = index_.find_write(writer_, piece.stream_offset),
                     .expected = Fault::Place{writer_, expected}});
}

}  // namespace writecanary::probe
