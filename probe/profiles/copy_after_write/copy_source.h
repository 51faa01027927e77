// The file that is copied: pieces with holes between them, written in one of the ways in which data gets into a file.
//
// Whichever the way, the last piece is written through the page cache and left there, so that something is dirty when
// the copy begins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probe/run/file_range.h"
#include "probe/run/run_context.h"
#include "probe/run/run_file.h"

namespace writecanary::probe {

enum class SourceState : std::uint8_t {
  kDelayed,       // written into holes: no block is allocated yet
  kPreallocated,  // over fallocate(2)d space
  kMapped,        // stored through a mapping
  kDirect,        // every second piece with O_DIRECT
  kOverwritten,   // every second piece over what was written back and evicted
};
inline constexpr std::array kSourceStates = {SourceState::kDelayed, SourceState::kPreallocated, SourceState::kMapped,
                                             SourceState::kDirect, SourceState::kOverwritten};
const char* to_string(SourceState state);

class CopySource {
 public:
  CopySource(RunContext& context, const FileIdentity& identity, std::uint64_t size_bytes);

  // Fills the file. What the filesystem refuses of the state (fallocate, O_DIRECT, a shared mapping) is written
  // plainly; false then. Throws SystemError.
  bool write(SourceState state);
  // After a WriteFailed of write(): the image is what the file must be as far as writes were acknowledged.
  void take_over(const WriteFailed& failed);

  int fd() const { return file_.fd(); }
  const std::string& name() const { return file_.name(); }
  std::span<const std::byte> image() const { return image_; }  // as it must be
  const FileRange& last_written() const { return last_; }

 private:
  struct Piece {
    FileRange where;
    std::size_t number;
    bool last;
  };
  std::vector<Piece> plan(SourceState state) const;
  bool put(SourceState state, const Piece& piece);
  bool store(const FileRange& where);
  bool put_directly(const FileRange& where);

  RunContext& context_;
  FileIdentity identity_;
  RunFile file_;
  std::vector<std::byte> image_;
  FileRange last_, writing_;
};

}  // namespace writecanary::probe
