// A finding: one thing that the kernel did wrong, with all that is needed to see it again in the file.
//
// Findings are data. An I/O error is not a finding, and bytes that the kernel never acknowledged are not judged.
// How findings are derived from a file is probe/verify/classifier.h; how they are stored is storage/.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

enum class FindingKind : std::uint8_t {
  kDuplicate,       // bytes of this file stand in it a second time
  kMissing,         // acknowledged bytes are nowhere in the file
  kTorn,            // one acknowledged write is split, with another writer's bytes inside it
  kMisplaced,       // bytes of this file stand once, but at the wrong place
  kStale,           // bytes of an earlier file or run stand in this one
  kZeroed,          // zeros where acknowledged bytes belong
  kForeign,         // bytes that no canary ever wrote
  kBitflip,         // a few wrong bits in an otherwise right word
  kSizeMismatch,    // file size differs from the acknowledged bytes, and nothing else explains it
  kNowaitContract,  // a RWF_NOWAIT call grew the file by something else than it reported
  kStuck,           // the probe hangs in the kernel
};

inline constexpr std::array kAllFindingKinds = {
    FindingKind::kDuplicate,    FindingKind::kMissing,        FindingKind::kTorn,    FindingKind::kMisplaced,
    FindingKind::kStale,        FindingKind::kZeroed,         FindingKind::kForeign, FindingKind::kBitflip,
    FindingKind::kSizeMismatch, FindingKind::kNowaitContract, FindingKind::kStuck};
inline constexpr std::size_t kFindingKindCount = kAllFindingKinds.size();

enum class FindingClass : std::uint8_t { kCorruption, kAtomicity, kContract, kAvailability };
inline constexpr std::array kAllFindingClasses = {FindingClass::kCorruption, FindingClass::kAtomicity,
                                                  FindingClass::kContract, FindingClass::kAvailability};

std::string_view to_string(FindingKind kind);
std::string_view to_string(FindingClass finding_class);
std::optional<FindingKind> parse_finding_kind(std::string_view text);
std::optional<FindingClass> parse_finding_class(std::string_view text);
FindingClass class_of(FindingKind kind);
// One sentence for people: what this kind means.
std::string_view describe(FindingKind kind);

// Which way a write went through the kernel.
enum class Route : std::uint8_t {
  kInline,  // completed within the submitting call
  kPunted,  // handed to an io-wq worker, after an inline attempt or at once
  kSync,    // an ordinary system call
  kRing,    // through a ring, and nobody looked whether inline or by a worker
};
inline constexpr std::array kAllRoutes = {Route::kInline, Route::kPunted, Route::kSync, Route::kRing};

std::string_view to_string(Route route);
std::optional<Route> parse_route(std::string_view text);

// One write as the writer's log has it.
struct WriteRef {
  std::uint64_t index = 0;                // number of the write within its file and writer, from 0
  std::uint32_t writer = 0;               // 0 for the only or first writer
  std::uint64_t stream_offset_bytes = 0;  // where its bytes begin in what this writer wrote to this file
  std::uint64_t length_bytes = 0;         // requested
  Route route = Route::kSync;
  std::int64_t result = 0;         // bytes acknowledged, or -errno
  std::uint64_t inline_bytes = 0;  // growth seen after an inline attempt that did not complete
  bool disarmed = false;           // the attempt came after the timer tick of its arming, and gave up before a byte
  std::uint64_t at_us = 0;         // when its result was known, since the run began; 0: not recorded
};

// What one way of reading said of the bytes that a finding is about.
enum class Look { kNotLooked, kRight, kWrong };

// The same file read in three ways (probe/verify/cold/cold_look.h). Wrong hot and right cold: the page cache has it
// wrong and the device does not, so a reboot mends it. Right hot and wrong cold: what was written never arrived as it
// should.
struct Views {
  Look hot = Look::kNotLooked;     // from the page cache
  Look cold = Look::kNotLooked;    // after fdatasync and eviction
  Look direct = Look::kNotLooked;  // with O_DIRECT
};

struct Finding {
  FindingKind kind = FindingKind::kForeign;
  std::string file;                // name inside the run's directory
  std::uint64_t offset_bytes = 0;  // where in the file
  std::uint64_t length_bytes = 0;
  std::optional<std::uint64_t> source_offset_bytes;  // the offset that the content found there belongs to
  bool page_aligned = false;                         // offset_bytes is a multiple of the page size
  std::optional<WriteRef> write;                     // the write whose bytes are concerned
  std::optional<WriteRef> intruder;                  // torn: the write that stands inside
  std::uint64_t context_offset_bytes = 0;            // file offset of the first byte of the two dumps below
  std::string expected_hex;                          // bytes around the first wrong one, at most kHexContextBytes each
  std::string found_hex;
  std::string detail;  // one sentence with the figures
  Views views;
  std::vector<std::string> operations;  // that the failure needs, in order, where a profile can say so
};

void to_json(nlohmann::json& out, const WriteRef& write);
void from_json(const nlohmann::json& in, WriteRef& write);
// "wrong in the page cache, right on the device", as far as there was a look.
std::string describe(const Views& views);
// {"hot": "wrong", "cold": "right", "direct": null}
void to_json(nlohmann::json& out, const Views& views);
void from_json(const nlohmann::json& in, Views& views);
void to_json(nlohmann::json& out, const Finding& finding);
void from_json(const nlohmann::json& in, Finding& finding);

}  // namespace writecanary
