// The ways in which one request can be made through io_uring: a table of axes, and an order in which to go through all
// of them. Pure; making the requests is probe/profiles/ring_io/ring_requests.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/trap/ring.h"

namespace writecanary::probe {

enum class RingMemory : std::uint8_t {
  kPlain,   // READ, WRITE
  kVector,  // READV, WRITEV: several pieces of uneven length
  kFixed,   // READ_FIXED, WRITE_FIXED: a place behind the first page of a registered buffer, not at a page's begin
};
enum class RingPlace : std::uint8_t {
  kExplicit,    // an offset
  kPosition,    // -1: the descriptor's position, which moves
  kEnd,         // -1 with O_APPEND
  kAppendFlag,  // RWF_APPEND
};
enum class RingFlag : std::uint8_t {
  kNone,
  kDsync,      // RWF_DSYNC
  kDontCache,  // RWF_DONTCACHE (6.14): dropped from the page cache once it is written
};

struct RingCase {
  RingSetup setup = RingSetup::kPlain;
  RingMemory memory = RingMemory::kPlain;
  RingPlace place = RingPlace::kExplicit;
  RingFlag flag = RingFlag::kNone;
  bool registered_file = false;
  bool worker = false;  // IOSQE_ASYNC: never tried inline
};

// "WRITEV at the current position, RWF_DSYNC, registered file, IORING_SETUP_SQPOLL".
std::string to_string(const RingCase& one, bool writes);

// All ways to write on these set-ups, each once, in an order that the seed decides. Every sixth goes to a worker at
// once, so that most can be stopped part-way.
std::vector<RingCase> write_cases(std::uint64_t seed, const std::vector<RingSetup>& setups);
// The same for reads, which have no appends and no flags.
std::vector<RingCase> read_cases(std::uint64_t seed, const std::vector<RingSetup>& setups);

// Goes round through a list.
class RingCases {
 public:
  explicit RingCases(std::vector<RingCase> cases) : cases_(std::move(cases)) {}
  const RingCase& next() { return cases_[at_++ % cases_.size()]; }

 private:
  std::vector<RingCase> cases_;
  std::size_t at_ = 0;
};

}  // namespace writecanary::probe
