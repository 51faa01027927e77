// Follows one writer's stream through the file: duplicates, gaps, misplaced pieces.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "probe/verify/classifier_parts.h"

namespace writecanary::probe {

class StreamOrder {
 public:
  // Refers to all three, which must outlive it.
  StreamOrder(const LogIndex& index, std::uint32_t writer, DamageList& damages)
      : index_(index), writer_(writer), damages_(damages) {}

  // The next piece of this writer in file order, and the one behind it (null for the last).
  void place(const Piece& piece, const Piece* next);
  // After the last piece.
  void finish(std::uint64_t file_size);

  std::vector<Fault>& faults() { return faults_; }
  // First occurrences, not sorted.
  const std::vector<Piece>& firsts() const { return firsts_; }

 private:
  // Stream bytes below high_ that have not been seen; the key is where it begins.
  struct Gap {
    std::uint64_t end = 0;
    std::uint64_t file_offset = 0;  // where it should have begun in the file
    bool replaced = false;          // by damage, which has a fault of its own
  };
  using Gaps = std::map<std::uint64_t, Gap>;
  struct Aside {
    Piece piece;
    std::uint64_t expected;
  };

  bool stands_aside(const Piece& piece, const Piece* next) const;
  void settle(Piece piece, std::uint64_t expected);
  void open_gap(std::uint64_t end, std::uint64_t file_offset);
  // These take the first part of the piece and return its length.
  std::uint64_t take_new(const Piece& piece);
  std::uint64_t take_from_gap(const Piece& piece, Gaps::iterator gap, std::uint64_t expected);
  std::uint64_t take_seen(const Piece& piece, Gaps::iterator next_gap, std::uint64_t expected);
  void report(FindingKind kind, const Piece& piece, std::uint64_t length, std::uint64_t expected);

  const LogIndex& index_;
  std::uint32_t writer_;
  DamageList& damages_;
  std::uint64_t high_ = 0;       // end of what was seen, gaps aside
  std::uint64_t high_file_ = 0;  // file offset behind the byte before it
  std::uint64_t last_end_ = 0;   // stream end of the last piece
  Gaps gaps_;
  std::vector<Aside> aside_;
  std::vector<Piece> firsts_;
  std::vector<Fault> faults_;
};

}  // namespace writecanary::probe
