#include "probe/verify/classifier.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "probe/verify/classifier_order.h"
#include "probe/verify/classifier_parts.h"

namespace writecanary::probe {
namespace {

// Own segments that go on in file and stream are one piece.
std::vector<Piece> join_own(std::span<const Segment> segments) {
  std::vector<Piece> pieces;
  for (const Segment& segment : segments) {
    if (segment.content != Content::kOwn && segment.content != Content::kFlipped) continue;
    const Piece piece{segment.file_offset, segment.length, segment.tag.writer, segment.stream_offset};
    const bool joins = !pieces.empty() && pieces.back().writer == piece.writer &&
                       pieces.back().file_end() == piece.file_offset &&
                       pieces.back().stream_end() == piece.stream_offset;
    if (joins) {
      pieces.back().length += piece.length;
    } else {
      pieces.push_back(piece);
    }
  }
  return pieces;
}

// Per piece, the next one of the same writer; null for the last.
std::vector<const Piece*> following(std::span<const Piece> pieces, std::uint32_t writers) {
  std::vector<const Piece*> result(pieces.size());
  std::vector<const Piece*> next(writers, nullptr);
  for (std::size_t i = pieces.size(); i-- > 0;) result[i] = std::exchange(next[pieces[i].writer], &pieces[i]);
  return result;
}

}  // namespace

std::vector<Fault> classify(std::span<const Segment> segments, const LogIndex& index) {
  DamageList damages;
  for (const Segment& segment : segments) {
    if (segment.content != Content::kOwn && segment.content != Content::kFlipped) damages.add(segment);
  }
  const std::vector<Piece> pieces = acknowledged_pieces(join_own(segments), index);
  const std::vector<const Piece*> next = following(pieces, index.writers());

  // All writers together in file order, so that damage excuses the gap that was noticed first behind it.
  std::vector<StreamOrder> orders;
  for (std::uint32_t writer = 0; writer < index.writers(); ++writer) orders.emplace_back(index, writer, damages);
  for (std::size_t i = 0; i < pieces.size(); ++i) orders[pieces[i].writer].place(pieces[i], next[i]);

  std::vector<Fault> faults;
  std::vector<Piece> firsts;
  const std::uint64_t file_size = segments.empty() ? 0 : segments.back().file_end();
  for (StreamOrder& order : orders) {
    order.finish(file_size);
    std::ranges::move(order.faults(), std::back_inserter(faults));
    std::ranges::copy(order.firsts(), std::back_inserter(firsts));
  }
  if (index.writers() > 1) {
    std::ranges::sort(firsts, {}, &Piece::file_offset);
    judge_atomicity(firsts, pieces, index, faults);
  }
  judge_damage(segments, pieces, damages, index, faults);
  std::ranges::stable_sort(faults, {}, &Fault::file_offset);
  return faults;
}

}  // namespace writecanary::probe
