#include "probe/profiles/held/witness.h"

#include <sys/uio.h>

#include <algorithm>

#include "probe/access/mapped_access.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kWrongMax = 16;  // of one look; more tell nothing new

void add(std::vector<Finding>& to, const FileReport& report, const std::string& how) {
  for (const Finding& finding : report.findings) {
    to.push_back(finding);
    to.back().detail += ", " + how;
  }
}

}  // namespace

void Witness::see(std::uint64_t offset, std::span<const std::byte> bytes, const std::string& how) {
  Comparison comparison(view_.name, view_.run_tag, view_.incompressible, kWrongMax);
  const std::uint64_t right_end = std::max<std::uint64_t>(right_.size(), offset);
  const std::size_t common = std::min<std::uint64_t>(bytes.size(), right_end - offset);
  if (common > 0) comparison.add(offset, bytes.first(common), right_.subspan(offset, common));
  if (common < bytes.size()) comparison.add_size(offset + bytes.size(), right_end);
  add(wrong_, comparison.report(), how);
  bytes_ += bytes.size();
}

void Witness::miss(std::uint64_t offset, std::uint64_t end, const std::string& how) {
  Comparison comparison(view_.name, view_.run_tag, view_.incompressible, kWrongMax);
  comparison.add_size(offset, end);
  add(wrong_, comparison.report(), how);
}

std::size_t Witness::load(int fd, std::uint64_t offset, std::uint64_t bytes, const std::string& how) {
  std::vector<std::byte> found(bytes);
  found.resize(Mapped(fd, offset, bytes).load(found));
  see(offset, found, how);
  return found.size();
}

std::size_t Witness::read_at_once(int fd, std::uint64_t offset, std::uint64_t bytes, const std::string& how) {
  std::vector<std::byte> found(bytes);
  const iovec into{found.data(), found.size()};
  const ssize_t got = preadv2(fd, &into, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  found.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));  // refused, or nothing without waiting
  see(offset, found, how);
  return found.size();
}

void Witness::report(FindingReporter& findings) const {
  FileReport report = keep_transient(view_, wrong_, findings.wanted());
  report.bytes_verified = bytes_;
  findings.report(report);
}

}  // namespace writecanary::probe
