#include "probe/evidence/evidence_collector.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/complain.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/json_text.h"
#include "core/base/version.h"
#include "core/report/replay.h"
#include "core/run/evidence_document.h"
#include "core/text/units.h"
#include "probe/evidence/evidence_file.h"
#include "probe/evidence/evidence_host.h"
#include "probe/evidence/evidence_mount.h"
#include "probe/evidence/evidence_parts.h"
#include "probe/evidence/sha256.h"

namespace writecanary::probe {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kFilesKept = 3;  // of a run with findings; the first ones tell the story
constexpr char kNoFile[] = "the finding was made without judging a file: by comparing what a call returned";

constexpr char kKnownContent[] =
    "every byte's right content is known; it is kept beside the file, and explain compares the two";
constexpr std::size_t kCopyBytes = 256UL * 1024;

nlohmann::json run_part(const RunSpec& spec, const EvidenceCollector::Moment& moment) {
  return {{"spec", spec},
          {"elapsed_us", moment.elapsed_us},
          {"writes_made", moment.writes_made},
          {"replay", replay_command(spec, moment.writes_made)}};
}

nlohmann::json mount_part(const FilesystemFacts& filesystem) {
  if (filesystem.type.empty()) throw SystemError("find the mount of the run's directory", ENOENT);
  return filesystem;
}

void add_log_parts(EvidenceParts& parts, int fd, const FileLog* log, std::uint64_t bytes, const char* why_not) {
  if (log == nullptr) {
    for (const char* name : {"log", "segments", "boundaries"}) parts.missing(name, why_not);
    return;
  }
  parts.add("log", [&] { return log_part(*log); });
  ContentParts content;
  parts.add("segments", [&] {
    content = content_parts(fd, *log, bytes);
    return content.segments;
  });
  parts.add("boundaries", [&] {
    if (content.boundaries.is_null()) throw SystemError("scan " + log->name, EIO);
    return content.boundaries;
  });
}

void add_host_parts(EvidenceParts& parts, int fd, const EvidenceCollector::Moment& moment) {
  parts.add("kernel", kernel_part);
  parts.add("taint", taint_part);
  parts.add("kernel_log", kernel_log_part);
  parts.add("memory", memory_part);
  parts.add("stall", stall_part);
  parts.add("cgroup", [&] { return cgroup_part(moment.pressure); });
  parts.add("mount", [&] { return mount_part(moment.filesystem); });
  if (fd < 0) {
    for (const char* name : {"extents", "geometry", "xfs_geometry", "devices"}) parts.missing(name, kNoFile);
    return;
  }
  parts.add("extents", [&] { return extents_part(fd); });
  parts.add("geometry", [&] { return geometry_part(fd); });
  parts.add("xfs_geometry", [&] { return xfs_geometry_part(fd); });
  parts.add("devices", [&] { return devices_part(device_of(fd, moment.filesystem)); });
}

// On stderr, and no more: the findings themselves travel another way.
void say_not_kept(const std::string& name, const std::exception& error) {
  complain(fmt::format("writecanary-probe: evidence of {} is not kept: {}", name, error.what()));
}

}  // namespace

bool EvidenceCollector::wanted() const {
  return !spec_.evidence_directory.empty() && files_ < kFilesKept && bytes_ < spec_.evidence_bytes_max;
}

std::uint64_t EvidenceCollector::room() const {
  return spec_.evidence_bytes_max - std::min(bytes_, spec_.evidence_bytes_max);
}

void EvidenceCollector::take(int fd, const std::string& name) {
  if (!wanted()) return;
  try {
    taken_ = copy_file(fd, kept_name(name));
  } catch (const std::exception& error) {
    say_not_kept(name, error);
  }
}

void EvidenceCollector::keep(int fd, const FileLog& log, const FileReport& report, const Moment& moment) {
  if (wanted()) write({.fd = fd, .name = kept_name(log.name), .log = &log}, report, moment);
}

void EvidenceCollector::keep(const ContentView& view, const FileReport& report, const Moment& moment) {
  if (wanted()) write({.fd = view.fd, .name = kept_name(view.name), .view = &view}, report, moment);
}

void EvidenceCollector::keep(const Finding& finding, const Moment& moment) {
  if (!wanted() || finding_kept_) return;
  finding_kept_ = true;
  write({.name = kept_name(finding.file)}, {.findings = {finding}, .tally = {}}, moment);
  --files_;
}

EvidenceCollector::Copy EvidenceCollector::copy(const std::string& name, const Read& read) {
  std::filesystem::create_directories(spec_.evidence_directory);
  const Fd out = open_file(spec_.evidence_directory + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::byte> buffer(kCopyBytes);
  Copy made{name, 0, ""};
  Sha256 hash;
  while (room() > 0) {
    const auto wanted = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), room()));
    const auto bytes = wanted.first(read(made.bytes, wanted));
    if (bytes.empty()) break;
    write_all(out.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    hash.update(bytes);
    made.bytes += bytes.size();
    bytes_ += bytes.size();
  }
  made.sha256 = hash.hex();
  return made;
}

EvidenceCollector::Copy EvidenceCollector::copy_file(int fd, const std::string& name) {
  return copy(name, [&](std::uint64_t offset, std::span<std::byte> out) { return read_at(fd, name, offset, out); });
}

EvidenceCollector::Copy EvidenceCollector::copy_expected(const ContentView& view) {
  return copy(kept_name(view.name) + kExpectedSuffix, [&](std::uint64_t offset, std::span<std::byte> out) {
    const auto wanted = out.first(std::min<std::uint64_t>(out.size(), view.size_bytes - offset));
    view.expected(offset, wanted);
    return wanted.size();
  });
}

void EvidenceCollector::add_files(nlohmann::json& document, EvidenceParts& parts, const Kept& kept,
                                  const FileReport& report) {
  if (kept.fd < 0) {
    add_log_parts(parts, -1, nullptr, 0, kNoFile);
    document["file"] = nullptr;
    return;
  }
  const std::uint64_t size = file_size(kept.fd, kept.name);
  const Copy made = taken_ && taken_->name == kept.name ? *std::exchange(taken_, {}) : copy_file(kept.fd, kept.name);
  document["file"] = {{"name", made.name}, {"size_bytes", size}, {"kept_bytes", made.bytes}, {"sha256", made.sha256}};
  // What is said of the content is said of the copy: the file may have changed when it was evicted.
  const Fd copied = open_file(spec_.evidence_directory + "/" + made.name, O_RDONLY);
  add_log_parts(parts, made.bytes == size ? copied.get() : kept.fd, kept.log, report.bytes_verified, kKnownContent);
  if (kept.view == nullptr) return;
  const Copy right = copy_expected(*kept.view);
  document["expected"] = {
      {"name", right.name},     {"size_bytes", kept.view->size_bytes}, {"kept_bytes", right.bytes},
      {"sha256", right.sha256}, {"run_tag", kept.view->run_tag},       {"incompressible", kept.view->incompressible}};
}

void EvidenceCollector::write(const Kept& kept, const FileReport& report, const Moment& moment) {
  ++files_;
  try {
    const std::string kept_at = format_timestamp(to_unix_ms(SystemClock().now()));
    EvidenceParts parts;
    parts.add("run", [&] { return run_part(spec_, moment); });
    parts.add("findings", [&] { return nlohmann::json(report.findings); });
    nlohmann::json files = nlohmann::json::object();
    add_files(files, parts, kept, report);
    add_host_parts(parts, kept.fd, moment);
    nlohmann::json document = parts.document();
    document.update(files);
    document["format"] = kFormat;
    document["tool"] = {{"version", kVersion}, {"revision", kRevision}};
    document["kept_at"] = kept_at;  // before collecting: when the damage was found
    const std::string text = json_text(document, 1) + "\n";
    const std::string path = spec_.evidence_directory + "/" + kept.name + kEvidenceSuffix;
    std::filesystem::create_directories(spec_.evidence_directory);
    write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600).get(), text);
    bytes_ += text.size();
  } catch (const std::exception& error) {
    say_not_kept(kept.name, error);
  }
}

}  // namespace writecanary::probe
