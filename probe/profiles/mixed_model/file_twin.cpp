// The executor's second file, a clone that shares blocks with the first, its direct I/O, and what looks at whole files.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/profiles/mixed_model/file_executor.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kMemoryAlignment = 4096;

// Memory for a direct transfer; a multiple of the alignment, and at least so large.
AlignedBuffer<std::byte> direct_memory(std::uint64_t bytes) {
  return {kMemoryAlignment, (bytes + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment};
}

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
  if (errno == ENOTTY) errno = EOPNOTSUPP;
  return refuse("FICLONE");
}

bool FileExecutor::write_twin(const Operation& operation, const FileRange& where, bool counted) {
  return write_plainly(twin_.fd(), twin_.name(), where.offset, model_.data(operation, where), counted);
}

bool FileExecutor::direct_write(const Operation& operation, const FileRange& where, bool counted) {
  if (!direct_fd_) {
    refused_.insert("O_DIRECT");
    return false;
  }
  const std::vector<std::byte> data = model_.data(operation, where);
  const auto memory = direct_memory(data.size());
  std::ranges::copy(data, memory.span().begin());
  const ssize_t returned = retried(
      [&] { return pwrite(direct_fd_.get(), memory.span().data(), data.size(), static_cast<off_t>(where.offset)); });
  if (returned < 0) return refuse("a write with O_DIRECT");
  WriteRef write;
  write.length_bytes = data.size();
  write.result = returned;
  count(write, counted);
  const auto done = static_cast<std::size_t>(returned);
  // What a short one left out is written plainly, as its end need not be aligned.
  return write_plainly(file_.fd(), file_.name(), where.offset + done, std::span(data).subspan(done), counted);
}

bool FileExecutor::write_plainly(int fd, const std::string& name, std::uint64_t offset, std::span<const std::byte> data,
                                 bool counted) {
  while (!data.empty()) {
    WriteRef write;
    write.length_bytes = data.size();
    write.result = retried([&] { return pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)); });
    if (write.result < 0) throw_errno("write to " + name);
    count(write, counted);
    offset += static_cast<std::uint64_t>(write.result);
    data = data.subspan(static_cast<std::size_t>(write.result));
  }
  return true;
}

FileReport FileExecutor::direct_read(const FileRange& where) {
  if (!direct_fd_) {
    refused_.insert("O_DIRECT");
    return {};
  }
  const auto memory = direct_memory(where.length);
  const ssize_t got = retried(
      [&] { return pread(direct_fd_.get(), memory.span().data(), where.length, static_cast<off_t>(where.offset)); });
  if (got < 0) {
    refuse("a read with O_DIRECT");
    return {};
  }
  return compare_piece(where.offset, std::span<const std::byte>(memory.span()).first(static_cast<std::size_t>(got)));
}

}  // namespace writecanary::probe
