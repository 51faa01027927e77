// What the damaging test filesystem does to one write: a rule as text, and bytes in, other bytes out.
//
// A pure part of damagefs, so that its log can be exact: where the damage stands in the file, how long it is, and
// which offset the content found there belongs to. Files, FUSE and counting are damagefs.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace writecanary::damagefs {

enum class Kind : std::uint8_t {
  kNone,
  kDuplicate,  // the chunk is written twice
  kDrop,       // the chunk is left out, what follows moves up
  kFlip,       // one bit of the chunk's first byte
  kZero,       // the chunk is zeros
  kReorder,    // the chunk and the equally long one behind it change places
  kStale,      // the chunk is the head of an earlier file
  kForeign,    // the chunk is text
  kTruncate,   // the end of the write is cut off
  kExtend,     // zeros follow the write
};

std::string_view to_string(Kind kind);

// Which writes are damaged and where in the write. Only a write that holds the whole chunk counts, so small
// bookkeeping files are left alone.
struct Rule {
  Kind kind = Kind::kNone;
  bool on_read = false;     // damage what a read returns and leave what is stored; only kinds that keep lengths
  std::string file;         // only files whose name begins like this
  std::uint64_t at = 0;     // only this write, counted from 1 since the rule was set; 0: see every
  std::uint64_t every = 1;  // every n-th write
  std::uint64_t offset_bytes = 4096;   // of the chunk in the write
  std::optional<std::uint64_t> place;  // of the chunk in the file instead: only requests that cover it count
  std::uint64_t length_bytes = 4096;
  unsigned bit = 0;

  bool watches(std::string_view path) const;
  bool hits(std::uint64_t write_number) const;
};

// "kind=flip,every=3,offset=4096,bit=5". Throws std::invalid_argument that names the part and what is allowed.
Rule parse_rule(std::string_view text);

struct Write {
  std::string_view bytes;
  std::uint64_t file_offset_bytes = 0;    // where it goes in the file as it stands
  std::uint64_t stream_offset_bytes = 0;  // where it would go had nothing been damaged before
  bool append = false;
};

struct Damage {
  std::string bytes;  // to be written at the same place instead
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  std::uint64_t source_offset_bytes = 0;  // undamaged offset of the content that stands there, or that is not there
};

// Nothing when the rule cannot apply: the write is too short, a kind that changes lengths meets a write at an explicit
// offset (the next one would overwrite the damage), or stale finds no earlier file as long as the chunk.
std::optional<Damage> damage(const Rule& rule, const Write& write, std::string_view earlier_file);

}  // namespace writecanary::damagefs
