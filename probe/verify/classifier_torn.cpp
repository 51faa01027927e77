// Atomicity: a write whose first occurrence is interrupted by another writer's bytes.
#include <algorithm>
#include <vector>

#include "probe/verify/classifier_parts.h"

namespace writecanary::probe {
namespace {

// Where the parts of one write stand.
struct WriteParts {
  bool seen = false;
  bool split = false;
  std::uint64_t first_end = 0;     // file offset behind the first part
  std::uint64_t split_offset = 0;  // stream offset there
  std::uint64_t last_begin = 0;    // file offset of the last part
};

void add_part(WriteParts& parts, const Piece& part) {
  if (!parts.seen) {
    parts = {.seen = true, .first_end = part.file_end(), .split_offset = part.stream_end()};
  } else if (!parts.split && parts.first_end == part.file_offset && parts.split_offset == part.stream_offset) {
    parts.first_end = part.file_end();
    parts.split_offset = part.stream_end();
  } else {
    parts.split = true;
    parts.last_begin = part.file_offset;
  }
}

std::vector<std::vector<WriteParts>> parts_of_writes(std::span<const Piece> firsts, const LogIndex& index) {
  std::vector<std::vector<WriteParts>> all;
  for (const auto& writes : index.log().writers) all.emplace_back(writes.size());
  for (Piece rest : firsts) {
    const auto& writes = index.log().writers[rest.writer];
    for (const WriteRef* write = index.find_write(rest.writer, rest.stream_offset); rest.length > 0; ++write) {
      const std::uint64_t end = write->stream_offset_bytes + acknowledged(*write);
      if (end <= rest.stream_offset) continue;  // acknowledged nothing
      const std::uint64_t length = std::min(rest.length, end - rest.stream_offset);
      add_part(all[rest.writer][static_cast<std::size_t>(write - writes.data())],
               {rest.file_offset, length, rest.writer, rest.stream_offset});
      rest = rest.without(length);
    }
  }
  return all;
}

}  // namespace

void judge_atomicity(std::span<const Piece> firsts, std::span<const Piece> pieces, const LogIndex& index,
                     std::vector<Fault>& faults) {
  const auto all = parts_of_writes(firsts, index);
  for (std::uint32_t writer = 0; writer < index.writers(); ++writer) {
    for (std::size_t i = 0; i < all[writer].size(); ++i) {
      const WriteParts& parts = all[writer][i];
      if (!parts.split) continue;
      Fault fault{.kind = FindingKind::kTorn,
                  .source = parts.split_offset,
                  .write = &index.log().writers[writer][i],
                  .expected = Fault::Place{writer, parts.split_offset}};
      auto inside = std::ranges::lower_bound(pieces, parts.first_end, {}, &Piece::file_offset);
      for (; inside != pieces.end() && inside->file_offset < parts.last_begin; ++inside) {
        if (inside->writer == writer) continue;
        if (fault.length == 0) {
          fault.file_offset = inside->file_offset;
          fault.intruder = index.find_write(inside->writer, inside->stream_offset);
        }
        fault.length += inside->length;
      }
      if (fault.length > 0) faults.push_back(fault);
    }
  }
}

}  // namespace writecanary::probe
