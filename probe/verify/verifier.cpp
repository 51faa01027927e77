#include "probe/verify/verifier.h"

#include <unistd.h>

#include <algorithm>

#include "core/base/fd.h"
#include "core/base/limits.h"
#include "core/text/hex.h"
#include "probe/verify/classifier.h"
#include "probe/verify/fault_text.h"
#include "probe/verify/file_end.h"
#include "probe/verify/scanner.h"

namespace writecanary::probe {
namespace {

// Large enough that system calls cost nothing, small enough that what pread copied is still in the second-level cache
// when it is compared.
constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr std::size_t kBufferAlignment = 4096;
// A file beyond twice what was asked for plus this is not read to its end: the size alone is damning, and a wild one
// (the sparse exabyte of a broken inode) would keep the probe for ever.
constexpr std::uint64_t kReadBeyondBytes = std::uint64_t{64} << 20;

// The two dumps: half of each before the first wrong byte, half from it on.
void add_context(Finding& finding, const Fault& fault, const LogIndex& index, Window& window) {
  const std::uint64_t before = std::min<std::uint64_t>(fault.file_offset, kHexContextBytes / 2);
  finding.context_offset_bytes = fault.file_offset - before;
  finding.found_hex = to_hex(window.bytes(finding.context_offset_bytes, kHexContextBytes));
  if (!fault.expected || fault.expected->stream_offset < before) return;
  const std::uint64_t stream_begin = fault.expected->stream_offset - before;
  const std::uint64_t stream_end = index.acknowledged_bytes(fault.expected->writer);
  if (stream_begin >= stream_end) return;
  std::vector<std::byte> expected(std::min<std::uint64_t>(kHexContextBytes, stream_end - stream_begin));
  index.expect(fault.expected->writer, stream_begin, expected);
  finding.expected_hex = to_hex(expected);
}

Finding to_finding(const Fault& fault, const LogIndex& index, Window& window, std::uint64_t page_bytes) {
  Finding finding;
  finding.kind = fault.kind;
  finding.file = index.log().name;
  finding.offset_bytes = fault.file_offset;
  finding.length_bytes = fault.length;
  finding.source_offset_bytes = fault.source;
  finding.page_aligned = fault.file_offset % page_bytes == 0;
  if (fault.write != nullptr) finding.write = *fault.write;
  if (fault.intruder != nullptr) finding.intruder = *fault.intruder;
  finding.detail = fault_text(fault, index);
  finding.views.hot = Look::kWrong;
  add_context(finding, fault, index, window);
  return finding;
}

}  // namespace

Verifier::Verifier() : buffer_(kBufferAlignment, kBufferBytes) {}

FileReport Verifier::verify(int fd, const FileLog& log, std::size_t max_findings, Access access) {
  const LogIndex index(log);
  FileReport report;
  report.size_bytes = file_size(fd, log.name);
  const std::uint64_t readable = std::min(report.size_bytes, 2 * index.attempted_bytes() + kReadBeyondBytes);
  Window window(fd, log.name, readable, buffer_.span(), access);
  std::vector<Segment> segments = scan(window, index);
  report.bytes_verified = window.size_bytes();
  if (readable < report.size_bytes)
    segments.push_back({.file_offset = readable, .length = report.size_bytes - readable});

  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  for (const Fault& fault : classify(segments, index)) {
    report.tally.add(fault.kind, fault.length);
    if (report.findings.size() < max_findings) report.findings.push_back(to_finding(fault, index, window, page_bytes));
  }
  const std::uint64_t behind = readable == report.size_bytes ? read_behind_end(fd, log.name, readable) : 0;
  if (behind != 0) {
    report.tally.add(FindingKind::kSizeMismatch, behind);
    if (report.findings.size() < max_findings) {
      report.findings.push_back(behind_end(log.name, report.size_bytes, behind));
      report.findings.back().views.hot = Look::kWrong;
    }
  }
  // A page that was there went and cannot be read again: reading says why.
  if (window.lost_a_page()) return verify(fd, log, max_findings, Access::kRead);
  return report;
}

}  // namespace writecanary::probe
