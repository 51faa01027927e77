#include "probe/detector_trial.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/version.h"
#include "probe/verify/nowait_check.h"

namespace writecanary::probe {
namespace {

using Bytes = std::vector<std::byte>;
using enum FindingKind;

constexpr Tag kTag{.run = 77, .file = 3};
constexpr Tag kEarlierFile{.run = 77, .file = 2};
constexpr std::uint64_t kPageBytes = 4096;

// A file as its writers meant it, with the log of what was acknowledged to them; to be damaged.
class Specimen {
 public:
  explicit Specimen(bool incompressible) {
    log_ = {.name = "self-test", .tag = kTag, .incompressible = incompressible, .writers = {{}, {}}};
    for (const std::uint64_t length : {100'000U, 65'544U, 131'080U}) append(0, length);
    append(1, 4'104);
  }

  // Where the bytes of the second writer begin: behind all of the first one's.
  static constexpr std::uint64_t kFirstWriterBytes = 296'624;

  void insert(std::uint64_t offset, const Bytes& bytes) { content_.insert(at(offset), bytes.begin(), bytes.end()); }
  void erase(std::uint64_t offset, std::uint64_t length) { content_.erase(at(offset), at(offset + length)); }
  void overwrite(std::uint64_t offset, const Bytes& bytes) { std::ranges::copy(bytes, at(offset)); }
  void flip(std::uint64_t offset) { content_.at(offset) ^= std::byte{1U << 5U}; }
  Bytes slice(std::uint64_t offset, std::uint64_t length) { return {at(offset), at(offset + length)}; }
  Bytes pattern(Tag tag, std::uint64_t stream_offset, std::uint64_t length) const {
    Bytes bytes(length);
    Pattern(tag, log_.incompressible).fill_bytes(stream_offset, bytes);
    return bytes;
  }
  std::uint64_t size() const { return content_.size(); }

  FileReport judged_by(const FileJudging& judge) const {
    const Fd file(memfd_create("writecanary-self-test", MFD_CLOEXEC));
    if (!file) throw_errno("memfd_create");
    write_all(file.get(), {reinterpret_cast<const char*>(content_.data()), content_.size()});
    return judge(file.get(), log_);
  }

 private:
  Bytes::iterator at(std::uint64_t offset) { return content_.begin() + static_cast<std::ptrdiff_t>(offset); }

  void append(std::uint32_t writer, std::uint64_t length) {
    auto& writes = log_.writers[writer];
    const std::uint64_t begin = writes.empty() ? 0 : writes.back().stream_offset_bytes + writes.back().length_bytes;
    writes.push_back({.index = writes.size(),
                      .writer = writer,
                      .stream_offset_bytes = begin,
                      .length_bytes = length,
                      .route = Route::kPunted,
                      .result = static_cast<std::int64_t>(length)});
    Tag tag = kTag;
    tag.writer = static_cast<std::uint8_t>(writer);
    insert(content_.size(), pattern(tag, begin, length));
  }

  FileLog log_;
  Bytes content_;
};

struct Damage {
  FindingKind kind;
  std::uint64_t offset, length;  // of the finding that must come of it
  std::function<void(Specimen&)> apply;
};

Bytes text(std::size_t count) {
  constexpr std::string_view kText = "No canary wrote this. ";
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(kText[i % kText.size()]);
  return bytes;
}

// Moves what stands at `from` behind what is at `to` now.
void move_piece(Specimen& file, std::uint64_t from, std::uint64_t to, std::uint64_t length) {
  const Bytes piece = file.slice(from, length);
  file.erase(from, length);
  file.insert(to, piece);
}

// Offsets odd and even, in a write and across two, as far as the kind allows.
std::vector<Damage> damages() {
  constexpr std::uint64_t kEnd = Specimen::kFirstWriterBytes + 4'104;
  return {
      {kDuplicate, 135'168, 35'168, [](Specimen& file) { file.insert(135'168, file.slice(100'000, 35'168)); }},
      {kMissing, 131'072, 4'096, [](Specimen& file) { file.erase(131'072, 4'096); }},
      {kTorn, 16'384, 4'104, [](Specimen& file) { move_piece(file, Specimen::kFirstWriterBytes, 16'384, 4'104); }},
      {kMisplaced, 200'000, 4'096, [](Specimen& file) { move_piece(file, 131'072, 200'000, 4'096); }},
      {kStale, 65'536, 4'096,
       [](Specimen& file) { file.overwrite(65'536, file.pattern(kEarlierFile, 65'536, 4'096)); }},
      {kZeroed, 98'304, 4'096, [](Specimen& file) { file.overwrite(98'304, Bytes(4'096)); }},
      {kForeign, 50'001, 3'003, [](Specimen& file) { file.overwrite(50'001, text(3'003)); }},
      {kBitflip, 40'003, 1, [](Specimen& file) { file.flip(40'003); }},
      {kSizeMismatch, kEnd, 4'096, [](Specimen& file) { file.insert(file.size(), Bytes(4'096)); }},
  };
}

std::string found_text(const FileReport& report) {
  std::string found;
  for (const Finding& finding : report.findings) {
    found += fmt::format("{}{} at {}, {} bytes", found.empty() ? "found " : "; ", to_string(finding.kind),
                         finding.offset_bytes, finding.length_bytes);
  }
  return found.empty() ? "found nothing" : found;
}

DetectorTest test_detector(const Damage& damage, const FileJudging& judge) {
  DetectorTest test{.kind = damage.kind, .detected = true, .exact = true, .silent_on_clean = true, .detail = {}};
  for (const bool incompressible : {false, true}) {
    Specimen file(incompressible);
    const FileReport clean = file.judged_by(judge);
    if (clean.tally.total() != 0) {
      test.silent_on_clean = false;
      test.detail = "in clean data: " + found_text(clean);
    }
    damage.apply(file);
    const FileReport report = file.judged_by(judge);
    const bool detected = report.tally.total() == 1 && report.tally.count_of(damage.kind) == 1;
    const bool exact = detected && report.findings.front().offset_bytes == damage.offset &&
                       report.findings.front().length_bytes == damage.length;
    test.detected = test.detected && detected;
    test.exact = test.exact && exact;
    if (!exact) {
      test.detail = fmt::format("{}; the damage is {} at {}, {} bytes", found_text(report), to_string(damage.kind),
                                damage.offset, damage.length);
    }
  }
  return test;
}

// The call that duplicates: told that nothing was written, although two pages were.
DetectorTest test_nowait_contract() {
  const WriteRef refused{.length_bytes = 65'536, .route = Route::kInline, .result = -EAGAIN};
  const WriteRef honest{.length_bytes = 65'536, .route = Route::kInline, .result = 8'192};
  const auto finding = check_nowait(refused, 4'000, 12'192, kPageBytes);
  DetectorTest test{.kind = kNowaitContract, .detected = finding && finding->kind == kNowaitContract, .detail = {}};
  test.exact = test.detected && finding->offset_bytes == 4'000 && finding->length_bytes == 8'192;
  test.silent_on_clean =
      !check_nowait(refused, 4'000, 4'000, kPageBytes) && !check_nowait(honest, 4'000, 12'192, kPageBytes);
  if (!test.ok()) test.detail = finding ? finding->detail : "found nothing";
  return test;
}

}  // namespace

SelfTest try_detectors(const FileJudging& judge) {
  SelfTest result{.version = kVersion,
                  .revision = kRevision,
                  .at_ms = to_unix_ms(SystemClock().now()),
                  .error = {},
                  .detectors = {}};
  for (const Damage& damage : damages()) result.detectors.push_back(test_detector(damage, judge));
  result.detectors.push_back(test_nowait_contract());
  return result;
}

SelfTest try_detectors() {
  constexpr std::size_t kFindings = 10;
  return try_detectors([](int fd, const FileLog& log) { return Verifier().verify(fd, log, kFindings); });
}

}  // namespace writecanary::probe
