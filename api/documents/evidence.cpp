#include "api/documents/evidence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "api/refusal/limits.h"
#include "core/base/error.h"

namespace writecanary::api {
namespace {

namespace fs = std::filesystem;

// Regular files below the directory, sorted by name. Links are neither listed nor followed.
std::vector<fs::path> files_below(const std::string& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    if (fs::is_regular_file(entry->symlink_status(unreadable))) files.push_back(entry->path());
  }
  if (error) throw SystemError("list " + directory, error.value());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TarArchive evidence_archive(const std::string& name, const EvidenceTexts& texts, const std::string& directory,
                            std::int64_t time_seconds) {
  TarArchive archive(time_seconds);
  archive.add_text(name + "/finding.json", texts.finding_json);
  archive.add_text(name + "/run.json", texts.run_json);
  archive.add_text(name + "/report.txt", texts.report);
  std::string omitted;
  std::size_t count = 0;
  for (const auto& path : files_below(directory)) {
    const std::string relative = path.lexically_relative(directory).string();
    const std::uint64_t before = archive.size_bytes();
    std::error_code gone;
    const std::uint64_t size = fs::file_size(path, gone);
    if (gone) continue;  // retention was faster
    const bool fits = count < kEvidenceFilesMax && before + size <= kEvidenceBytesMax;
    if (fits &&
        archive.add_file(fmt::format("{}/evidence/{}", name, relative), open_file(path, O_RDONLY | O_NOFOLLOW))) {
      ++count;
    } else {
      omitted += fmt::format("{} ({} bytes)\n", relative, size);
    }
  }
  if (!omitted.empty()) archive.add_text(name + "/OMITTED.txt", omitted);
  return archive;
}

}  // namespace writecanary::api
