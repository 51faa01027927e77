// The mixed-model profile's operations, and a plan of them that the seed decides. Pure.
//
// A list of them stays a list when some are left out: places are absolute or counted from the end. What one means for a
// file as it is then is probe/profiles/mixed_model/file_model.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace writecanary::probe {

enum class OpKind : std::uint8_t {
  kWrite,
  kAppend,
  kRead,
  kTruncate,  // to `offset`, shorter or longer
  kAllocate,  // fallocate(2), may make the file longer
  kPunch,
  kZeroRange,
  kSync,
  kEvict,      // written back and dropped from the page cache
  kCopyRange,  // copy_file_range(2) within the file; every second one between edges of blocks
  kMapWrite,
  kMapRead,  // also what the last page shows behind the end
  kDirectWrite,
  kDirectRead,
  kCollapse,   // a range of blocks taken out, what follows moves up
  kInsert,     // a hole of blocks put in
  kClone,      // the whole file cloned over its twin
  kTwinWrite,  // a write to the twin, which shares blocks with the file
  kUnshare,
  kStoreBehind,  // through a mapping, between the end and the end of its page: not in the file, and zeros when it grows
  kStoreSynced,  // the same and fsync(2), which leaves zeros there
  kDirectParts,  // a few units with O_DIRECT, all of them under way at the same time
  kRewrite,      // written, write-back begun, and written again before that has ended
  kCloneRange,   // FICLONERANGE within the file, whole blocks
  kDedupe,       // FIDEDUPERANGE of file and twin, which may differ: nothing changes
  kStopped,      // a write that stops at memory which cannot be read, and goes on where the file's position then is
  kAllocateStopped,  // fallocate(2) over all that is there, until a signal arrives: nothing changes, also when it is
                     // EINTR
  kMapRewrite,       // loaded, stored and msync(2)ed, stored and msynced again, and read with O_DIRECT
};
inline constexpr std::size_t kOpKindCount = static_cast<std::size_t>(OpKind::kMapRewrite) + 1;

struct Operation {
  OpKind kind = OpKind::kRead;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t target = 0;      // kCopyRange, kCloneRange: where to
  std::uint16_t generation = 0;  // names the write in the words that it writes
  bool ring = false;             // through io_uring, where the kind can
  bool near_end = false;         // the place lies about the end of the file, wherever that is: see FileModel::place()
};

// "write 4096+300 (io_uring)", "truncate to 100".
std::string to_string(const Operation& operation);

// The same seed gives the same list. Places and lengths are any bytes below `size_max`, every second one about the edge
// of a block or the end of the file. kStoreBehind comes only if asked for.
std::vector<Operation> plan_operations(std::uint64_t seed, std::size_t count, std::uint64_t size_max,
                                       bool stores_behind = false);

}  // namespace writecanary::probe
