// What writes did not acknowledge is taken out of the pieces here, so that nothing else has to know of it.
#include <algorithm>
#include <vector>

#include "probe/verify/classifier_parts.h"

namespace writecanary::probe {
namespace {

// Each write may leave its rest once, if that is excused.
class Allowances {
 public:
  explicit Allowances(const LogIndex& index) {
    for (std::uint32_t writer = 0; writer < index.writers(); ++writer) unused_.push_back(index.tails(writer));
  }

  // Whether a write may have left its rest, seen up to `end`, before its bytes begin again at `begin`; each such write
  // answers once. At odd offsets the change from one to the other can seem to be up to a word away.
  bool use(std::uint32_t writer, std::uint64_t begin, std::uint64_t end) {
    auto& tails = unused_[writer];
    const std::uint64_t earliest = begin < kWordBytes ? 0 : begin - kWordBytes + 1;
    auto tail = std::ranges::lower_bound(tails, earliest, {}, &LogIndex::Tail::begin);
    for (; tail != tails.end() && tail->begin < begin + kWordBytes; ++tail) {
      if (!tail->excused || tail->end - tail->begin < end - begin) continue;
      tail->end = tail->begin;
      return true;
    }
    return false;
  }

 private:
  std::vector<std::vector<LogIndex::Tail>> unused_;
};

}  // namespace

std::vector<Piece> acknowledged_pieces(std::vector<Piece> pieces, const LogIndex& index) {
  Allowances allowances(index);
  std::vector<Piece*> last(index.writers(), nullptr);
  for (Piece& piece : pieces) {
    Piece*& before = last[piece.writer];
    if (before != nullptr && before->stream_offset <= piece.stream_offset &&
        piece.stream_offset < before->stream_end() &&
        allowances.use(piece.writer, piece.stream_offset, before->stream_end())) {
      before->length = piece.stream_offset - before->stream_offset;
    }
    before = &piece;
  }
  for (Piece& piece : pieces) {
    const std::uint64_t end = index.acknowledged_bytes(piece.writer);
    piece.length = end > piece.stream_offset ? std::min(piece.length, end - piece.stream_offset) : 0;
  }
  std::erase_if(pieces, [](const Piece& piece) { return piece.length == 0; });
  return pieces;
}

}  // namespace writecanary::probe
