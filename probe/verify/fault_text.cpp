#include "probe/verify/fault_text.h"

#include <fmt/format.h>

namespace writecanary::probe {
namespace {

// `offset 4096`, or with several writers `offset 4096 of writer 2`.
std::string place_text(std::uint32_t writer, std::uint64_t stream_offset, const LogIndex& index) {
  if (index.writers() == 1) return fmt::format("offset {}", stream_offset);
  return fmt::format("offset {} of writer {}", stream_offset, writer);
}

std::string source_text(const Fault& fault, const LogIndex& index) {
  const std::uint32_t writer = fault.expected ? fault.expected->writer : 0;
  return place_text(writer, fault.source.value_or(0), index);
}

std::string write_text(const WriteRef& write) {
  return fmt::format("write {} of writer {} ({} bytes)", write.index, write.writer, write.length_bytes);
}

// Damage stands in place of bytes that were acknowledged, or between them.
std::string damage_text(const Fault& fault, std::string_view what, const LogIndex& index) {
  if (fault.write == nullptr) {
    return fmt::format("{} {} stand between acknowledged bytes and replace none", fault.length, what);
  }
  return fmt::format("{} {} stand where the bytes from {} on belong", fault.length, what,
                     place_text(fault.expected->writer, fault.expected->stream_offset, index));
}

std::string stale_text(const Fault& fault, const LogIndex& index) {
  const Tag& own = index.log().tag;
  const std::string whose =
      fault.other.run != own.run ? fmt::format("another run (tag {})", fault.other.run) : fmt::format("this run");
  return damage_text(
      fault,
      fmt::format("bytes of file {} of {}, from its offset {},", fault.other.file, whose, fault.source.value_or(0)),
      index);
}

std::string torn_text(const Fault& fault, const LogIndex& index) {
  std::string text = fmt::format("{} is split at {}: ", write_text(*fault.write), source_text(fault, index));
  if (fault.intruder != nullptr && fault.intruder->writer == index.log().extender) {
    return text + fmt::format("{} bytes by which the file was made longer stand inside", fault.length);
  }
  text += fmt::format("{} bytes of other writers stand inside", fault.length);
  if (fault.intruder != nullptr) text += ", beginning with " + write_text(*fault.intruder);
  return text;
}

}  // namespace

std::string fault_text(const Fault& fault, const LogIndex& index) {
  switch (fault.kind) {
    case FindingKind::kDuplicate:
      return fmt::format("{} bytes that belong at {} stand here a second time", fault.length,
                         source_text(fault, index));
    case FindingKind::kMissing:
      return fmt::format("{} acknowledged bytes from {} on are nowhere in the file", fault.length,
                         source_text(fault, index));
    case FindingKind::kMisplaced:
      return fmt::format("{} bytes that belong at {} stand here instead", fault.length, source_text(fault, index));
    case FindingKind::kTorn:
      return torn_text(fault, index);
    case FindingKind::kStale:
      return stale_text(fault, index);
    case FindingKind::kZeroed:
      return damage_text(fault, "zeros", index);
    case FindingKind::kBitflip:
      return fmt::format("a few bits are wrong within {} byte{} at {}; the words around are right", fault.length,
                         fault.length == 1 ? "" : "s", source_text(fault, index));
    case FindingKind::kSizeMismatch:
      return fmt::format("the file has {} bytes, {} beyond the end of what was acknowledged",
                         fault.file_offset + fault.length, fault.length);
    default:
      return damage_text(fault, "bytes that no canary wrote", index);
  }
}

}  // namespace writecanary::probe
