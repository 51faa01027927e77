// The things that the profile ring-io does with a file, one function each.
//
// All take a file as it is and leave it with its image true; the caller judges it. What they throw is SystemError.
#pragma once

#include "probe/profiles/ring_io/ring_file.h"
#include "probe/run/run_context.h"

namespace writecanary::probe {

// What the parts of a run have in common.
struct RingRound {
  RunContext& context;
  RingRequests& requests;
  RingFile& file;
  std::uint64_t seed;  // of this file
};

// One write at the end with the trap set: stopped part-way, and finished by a worker. With `exposes`, exposed if it was
// not complete when the submitting call returned. False when the file is wrong after it.
bool write_trapped(const RingRound& round, const RingCase& one, std::uint64_t bytes, bool exposes);

// A read of which only the first pages are in the page cache (mincore), continued where it is short. Exposed if it was
// not complete when the submitting call returned. False when no page of the file can be dropped.
bool read_partly_cached(const RingRound& round, const RingCase& one);

// Linked requests: new bytes over old ones and a read of them, with or without a sync between; two appends. Exposed if
// the first was not complete when the submitting call returned, so that the others had to wait.
void run_chain(const RingRound& round, RingSetup setup, unsigned kind);
inline constexpr unsigned kChainKinds = 3;

// From the file through a pipe to its end, with an offset (of which 0 is one) or from the position, which moves then.
void run_splice(const RingRound& round, RingSetup setup, bool from_position);

// Direct writes at the end, over blocks of which the first are preallocated and the others are not. Exposed if there
// was still nothing allocated when the submitting call had returned: an inline attempt had ended before it did all.
class DirectRingWrites {
 public:
  // `alignment`: of direct I/O there. `positions`: also at the descriptor's position, and whether it moves.
  DirectRingWrites(RunContext& context, RingRequests& requests, std::uint64_t alignment, bool positions);
  void run(RingCase one);
  void judge() { file_.judge(); }

 private:
  RunContext& context_;
  RingRequests& requests_;
  std::uint64_t alignment_, block_;
  bool positions_;
  RingFile file_;
};

}  // namespace writecanary::probe
