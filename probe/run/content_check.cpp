#include "probe/run/content_check.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "probe/run/run_context.h"
#include "probe/verify/cold/cold_look.h"
#include "probe/verify/cold/eviction.h"
#include "probe/verify/content/comparison.h"
#include "probe/verify/file_end.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

LookTried look_at_storage(const ContentView& view, std::size_t max_findings) {
  return try_look([&] {
    ColdLook look;
    const Residency left = evict(view.fd, view.name);
    if (left.none()) {
      look.cold = compare_content(view, max_findings);
    } else if (const Fd copy = read_direct(view.fd, file_size(view.fd, view.name))) {
      // A single page that stays is no look at storage. It may be one that was not written back, and nobody knows of
      // it.
      ContentView directly = view;
      directly.fd = copy.get();
      look.direct = compare_content(directly, max_findings);
    }
    return look;
  });
}

}  // namespace

void evict_to_storage(RunContext& context, int fd, const std::string& name) {
  if (evict(fd, name).none() || context.workspace.filesystem().type != "tmpfs") return;
  constexpr int kTimes = 2;  // the first begins to write, the second takes what is written
  for (int i = 0; i < kTimes; ++i) context.pressure.reclaim(file_size(fd, name));
}

FileReport compare_content(const ContentView& view, std::size_t max_findings) {
  const std::uint64_t size = file_size(view.fd, view.name);
  Comparison comparison(view.name, view.run_tag, view.incompressible, max_findings);
  std::vector<std::byte> found(kPieceBytes), expected(kPieceBytes);
  const std::uint64_t common = std::min(size, view.size_bytes);
  for (std::uint64_t offset = 0; offset < common;) {
    const std::size_t want = std::min<std::uint64_t>(kPieceBytes, common - offset);
    const std::size_t got = read_at(view.fd, view.name, offset, std::span(found).first(want));
    view.expected(offset, std::span(expected).first(got));
    comparison.add(offset, std::span(found).first(got), std::span(expected).first(got));
    offset += got;
    if (got < want) break;  // the size below says it
  }
  comparison.add_size(size, view.size_bytes);
  comparison.add_behind_end(size, read_behind_end(view.fd, view.name, size));
  return comparison.report();
}

void take_over(int fd, const std::string& name, std::uint64_t offset, std::span<std::byte> expected) {
  static_cast<void>(read_at(fd, name, offset, expected));
}

FileReport keep_transient(const ContentView& view, std::span<const Finding> seen, std::size_t max_findings) {
  FileReport report;
  for (const Finding& finding : seen) {
    std::vector<std::byte> found(finding.length_bytes), expected(finding.length_bytes);
    const bool whole = read_at(view.fd, view.name, finding.offset_bytes, found) == found.size();
    if (whole) view.expected(finding.offset_bytes, expected);
    // What came from behind the end is right at rest when nothing comes from there any more.
    if (whole ? found != expected : finding.kind != FindingKind::kSizeMismatch) continue;
    report.tally.add(finding.kind, finding.length_bytes);
    if (report.findings.size() == max_findings) continue;
    report.findings.push_back(finding);
    report.findings.back().detail += "; transient: right when it was read again with the file at rest";
  }
  return report;
}

FileReport inspect_content(const ContentView& view, std::size_t max_findings,
                           const std::function<void(const FileReport&)>& early) {
  FileReport hot = compare_content(view, max_findings);
  const bool wrong = hot.tally.total() != 0;
  if (wrong && early) early(hot);
  const auto [look, failed] = look_at_storage(view, max_findings);
  if (failed && !wrong) std::rethrow_exception(failed);
  return merge_views(std::move(hot), look);
}

void judge_content(FindingReporter& findings, const ContentView& view) {
  judge_content(findings, view, compare_content(view, findings.wanted()));
}

void judge_content(FindingReporter& findings, const ContentView& view, FileReport hot) {
  if (hot.tally.total() != 0) {
    findings.tell_early(hot);
    findings.take_evidence(view.fd, view.name);
  }
  const auto [look, failed] = look_at_storage(view, findings.wanted());
  findings.report(merge_views(std::move(hot), look), view);
  if (failed) std::rethrow_exception(failed);
}

}  // namespace writecanary::probe
