#include "probe/evidence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/replay.h"
#include "core/units.h"
#include "core/version.h"
#include "probe/evidence_file.h"
#include "probe/evidence_host.h"
#include "probe/evidence_mount.h"
#include "probe/evidence_parts.h"
#include "probe/sha256.h"

namespace writecanary::probe {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kFilesKept = 3;  // of a run with findings; the first ones tell the story
constexpr char kNoFile[] = "the finding was made without judging a file: by comparing what a call returned";

struct Copy {
  std::uint64_t bytes = 0;
  std::string sha256;
};

Copy copy_file(int from, const std::string& to, std::uint64_t bytes_max) {
  const Fd out = open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::byte> buffer(256UL * 1024);
  Copy copy;
  Sha256 hash;
  while (copy.bytes < bytes_max) {
    const std::size_t want = std::min<std::uint64_t>(buffer.size(), bytes_max - copy.bytes);
    const ssize_t got = pread(from, buffer.data(), want, static_cast<off_t>(copy.bytes));
    if (got < 0) throw_errno("read the damaged file");
    if (got == 0) break;
    const auto bytes = std::span(buffer).first(static_cast<std::size_t>(got));
    write_all(out.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    hash.update(bytes);
    copy.bytes += bytes.size();
  }
  copy.sha256 = hash.hex();
  return copy;
}

nlohmann::json run_part(const RunSpec& spec, const EvidenceKeeper::Moment& moment) {
  return {{"spec", spec},
          {"elapsed_us", moment.elapsed_us},
          {"writes_made", moment.writes_made},
          {"replay", replay_command(spec, moment.writes_made)}};
}

nlohmann::json mount_part(const FilesystemFacts& filesystem) {
  if (filesystem.type.empty()) throw SystemError("find the mount of the run's directory", ENOENT);
  return filesystem;
}

void add_file_parts(EvidenceParts& parts, int fd, const FileLog* log, const FileReport& report) {
  if (log == nullptr) {
    for (const char* name : {"log", "segments", "boundaries", "extents"}) parts.missing(name, kNoFile);
    return;
  }
  parts.add("log", [&] { return log_part(*log); });
  ContentParts content;
  parts.add("segments", [&] {
    content = content_parts(fd, *log, report.bytes_verified);
    return content.segments;
  });
  parts.add("boundaries", [&] {
    if (content.boundaries.is_null()) throw SystemError("scan " + log->name, EIO);
    return content.boundaries;
  });
  parts.add("extents", [&] { return extents_part(fd); });
}

void add_host_parts(EvidenceParts& parts, int fd, const EvidenceKeeper::Moment& moment) {
  parts.add("kernel", kernel_part);
  parts.add("taint", taint_part);
  parts.add("kernel_log", kernel_log_part);
  parts.add("memory", memory_part);
  parts.add("stall", stall_part);
  parts.add("cgroup", [&] { return cgroup_part(moment.pressure); });
  parts.add("mount", [&] { return mount_part(moment.filesystem); });
  if (fd < 0) {
    for (const char* name : {"geometry", "xfs_geometry", "devices"}) parts.missing(name, kNoFile);
    return;
  }
  parts.add("geometry", [&] { return geometry_part(fd); });
  parts.add("xfs_geometry", [&] { return xfs_geometry_part(fd); });
  parts.add("devices", [&] { return devices_part(device_of(fd, moment.filesystem)); });
}

}  // namespace

bool EvidenceKeeper::wanted() const {
  return !spec_.evidence_directory.empty() && files_ < kFilesKept && bytes_ < spec_.evidence_bytes_max;
}

std::uint64_t EvidenceKeeper::room() const {
  return spec_.evidence_bytes_max - std::min(bytes_, spec_.evidence_bytes_max);
}

void EvidenceKeeper::keep(int fd, const FileLog& log, const FileReport& report, const Moment& moment) {
  if (!wanted()) return;
  ++files_;
  write(fd, &log, report, log.name, moment);
}

void EvidenceKeeper::keep(const Finding& finding, const Moment& moment) {
  if (!wanted() || finding_kept_) return;
  finding_kept_ = true;
  write(-1, nullptr, {.findings = {finding}, .tally = {}}, finding.file, moment);
}

void EvidenceKeeper::write(int fd, const FileLog* log, const FileReport& report, const std::string& name,
                           const Moment& moment) {
  try {
    const std::string kept_at = format_timestamp(to_unix_ms(SystemClock().now()));
    std::filesystem::create_directories(spec_.evidence_directory);
    const std::string path = spec_.evidence_directory + "/" + name;
    EvidenceParts parts;
    parts.add("run", [&] { return run_part(spec_, moment); });
    parts.add("findings", [&] { return nlohmann::json(report.findings); });
    add_file_parts(parts, fd, log, report);
    add_host_parts(parts, fd, moment);
    nlohmann::json document = parts.document();
    document["format"] = kFormat;
    document["tool"] = {{"version", kVersion}, {"revision", kRevision}};
    document["kept_at"] = kept_at;  // before collecting: when the damage was found
    document["file"] = nullptr;
    if (log != nullptr) {
      const Copy copy = copy_file(fd, path, room());
      bytes_ += copy.bytes;
      document["file"] = {
          {"name", name}, {"size_bytes", report.size_bytes}, {"kept_bytes", copy.bytes}, {"sha256", copy.sha256}};
    }
    const std::string text = document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    write_all(open_file(path + ".evidence.json", O_WRONLY | O_CREAT | O_TRUNC, 0600).get(), text);
    bytes_ += text.size();
  } catch (const std::exception& error) {
    fmt::print(stderr, "writecanary-probe: evidence of {} is not kept: {}\n", name, error.what());
  }
}

}  // namespace writecanary::probe
