// The executor's second file and all that shares blocks with it, and what looks at whole files.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/profiles/mixed_model/file_executor.h"

namespace writecanary::probe {
namespace {

void add(FileReport& sum, FileReport&& other) {
  sum.bytes_verified += other.bytes_verified;
  for (const FindingKind kind : kAllFindingKinds) {
    const auto at = static_cast<std::size_t>(kind);
    sum.tally.count[at] += other.tally.count[at];
    sum.tally.bytes[at] += other.tally.bytes[at];
  }
  std::ranges::move(other.findings, std::back_inserter(sum.findings));
}

}  // namespace

ContentView FileExecutor::view() {
  return {.fd = file_.fd(),
          .name = file_.name(),
          .size_bytes = model_.bytes().size(),
          .expected = bytes_of(model_.bytes()),
          .run_tag = identity_.tag.run,
          .incompressible = identity_.incompressible};
}

ContentView FileExecutor::twin_view() {
  ContentView twin = view();
  twin.fd = twin_.fd();
  twin.name = twin_.name();
  twin.size_bytes = model_.twin().size();
  twin.expected = bytes_of(model_.twin());
  return twin;
}

FileReport FileExecutor::compare() {
  FileReport report = compare_content(view(), findings_.wanted());
  if (has_twin()) add(report, compare_content(twin_view(), findings_.wanted()));
  return report;
}

FileReport FileExecutor::inspect(const std::function<void(const FileReport&)>& early) {
  FileReport report = inspect_content(view(), findings_.wanted(), early);
  if (has_twin()) add(report, inspect_content(twin_view(), findings_.wanted(), early));
  return report;
}

void FileExecutor::keep_evidence(const FileReport& report) {
  const bool of_twin = !report.findings.empty() && report.findings.front().file == twin_.name();
  findings_.keep_evidence(report, of_twin ? twin_view() : view());
}

bool FileExecutor::clone() {
  if (retried([&] { return ftruncate(twin_.fd(), 0); }) != 0) throw_errno("truncate " + twin_.name());
  if (retried([&] { return ioctl(twin_.fd(), FICLONE, file_.fd()); }) == 0) return true;
  return refuse("FICLONE");
}

bool FileExecutor::write_twin(const Operation& operation, const FileRange& where, bool counted) {
  return write_plainly(twin_.fd(), twin_.name(), where.offset, model_.data(operation, where), counted);
}

bool FileExecutor::clone_range(const Operation& operation, const FileRange& where) {
  const file_clone_range range{.src_fd = file_.fd(),
                               .src_offset = where.offset,
                               .src_length = where.length,
                               .dest_offset = model_.target(operation)};
  if (retried([&] { return ioctl(file_.fd(), FICLONERANGE, &range); }) == 0) return true;
  return refuse("FICLONERANGE");
}

bool FileExecutor::deduplicate(const FileRange& where) {
  alignas(file_dedupe_range) std::array<std::byte, sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)> memory{};
  auto* range = reinterpret_cast<file_dedupe_range*>(memory.data());
  range->src_offset = where.offset;
  range->src_length = where.length;
  range->dest_count = 1;
  range->info[0].dest_fd = twin_.fd();
  range->info[0].dest_offset = where.offset;
  if (retried([&] { return ioctl(file_.fd(), FIDEDUPERANGE, range); }) != 0) return refuse("FIDEDUPERANGE");
  if (range->info[0].status >= 0) return true;  // the same or not: the comparison says whether that is true
  errno = -range->info[0].status;
  return refuse("FIDEDUPERANGE");
}

}  // namespace writecanary::probe
