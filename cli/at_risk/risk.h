// What of a scan matters: which append files are on a filesystem that was asked for, and what is known of the running
// kernel there. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/at_risk/scan.h"
#include "core/host/kernel_version.h"
#include "core/host/mountinfo.h"
#include "core/report/known_issues.h"

namespace writecanary::cli {

// Known issues of this kernel that appends through io_uring run into, on this type of filesystem or ("") on any.
std::vector<IssueMatch> append_issues(const KernelIdentity& kernel, std::string_view filesystem);

struct FileAtRisk {
  Process process;
  std::size_t rings = 0;
  std::size_t workers = 0;
  AppendFile file;
  std::vector<IssueMatch> issues = {};  // known of this kernel on the file's filesystem
};

struct ClosedFile {
  Process process;
  std::string path;
};

struct Risk {
  std::vector<FileAtRisk> files = {};      // known issues first, then by process
  std::vector<ClosedFile> closed = {};     // registered, and not to be told how they were opened
  std::vector<Process> without_ring = {};  // that have threads of io_uring, but no descriptor of a ring
  std::size_t elsewhere = 0;               // append files of such processes on other filesystems, or on no local one
  std::size_t direct = 0;                  // with O_DIRECT: another path of the kernel
  std::size_t own = 0;                     // of the canary itself
};

// `filesystem`: only files there; nothing: on any local one. What lists a closed file does not say of which mount it
// is, so those are all there.
Risk assess(const Scan& scan, const KernelIdentity& kernel, const std::optional<Mount>& filesystem);

// Whether a filesystem keeps its files on this host: its source is a device, or it has names of its own for them.
bool is_local(const Mount& mount);

}  // namespace writecanary::cli
