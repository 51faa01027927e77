#include "daemon/upkeep/evidence_owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

namespace fs = std::filesystem;

constexpr char kOwnerFile[] = "database-id";
constexpr char kAside[] = "unknown-";

// "20260601T120000Z"
std::string compact_time(SystemTime time) {
  auto text = format_timestamp(to_unix_ms(time));
  text.erase(text.find('.'));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

void sync_directory(const std::string& path) {
  const Fd directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (::fsync(directory.get()) != 0) throw_errno("fsync " + path);
}

std::string make_folder(const std::string& path) {
  for (int number = 1;; ++number) {
    const auto name = number == 1 ? path : fmt::format("{}-{}", path, number);
    if (::mkdir(name.c_str(), 0750) == 0) return name;
    if (errno != EEXIST) throw_errno("make the directory " + name);
  }
}

}  // namespace

std::optional<std::int64_t> evidence_run(const std::string& name) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return id;
}

bool is_set_aside(const std::string& name) { return name.starts_with(kAside); }

std::optional<std::string> EvidenceOwner::owner() const {
  try {
    auto text = read_file(root_ + "/" + kOwnerFile);
    text.erase(std::min(text.find('\n'), text.size()));
    return text;
  } catch (const SystemError& error) {
    if (error.error_number() != ENOENT) throw;
    return std::nullopt;
  }
}

// Whole or not at all, and there after a power loss: with the old name beside new evidence, that would be set aside.
void EvidenceOwner::write_owner(const std::string& directory, const std::string& database_id) const {
  const auto path = directory + "/" + kOwnerFile;
  const auto fresh = path + ".new";
  {
    const Fd file = open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write_all(file.get(), database_id + "\n");
    if (::fsync(file.get()) != 0) throw_errno("fsync " + fresh);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) throw_errno("rename " + fresh + " to " + path);
  sync_directory(directory);
}

std::vector<std::int64_t> EvidenceOwner::all() const {
  std::vector<std::int64_t> runs;
  std::error_code error;
  for (fs::directory_iterator entry(root_, error), end; !error && entry != end; entry.increment(error)) {
    if (const auto run = evidence_run(entry->path().filename().string())) runs.push_back(*run);
  }
  if (error) throw SystemError("list " + root_, error.value());
  std::ranges::sort(runs);
  return runs;
}

void EvidenceOwner::move_away(std::int64_t run_id) {
  if (folder_.empty()) folder_ = make_folder(fmt::format("{}/{}{}", root_, kAside, compact_time(started_)));
  const auto from = fmt::format("{}/{}", root_, run_id);
  const auto to = fmt::format("{}/{}", folder_, run_id);
  if (std::rename(from.c_str(), to.c_str()) != 0) throw_errno("rename " + from + " to " + to);
}

void EvidenceOwner::claim(const std::string& database_id) {
  const auto before = owner();
  const bool is_ours = !before || *before == database_id;
  auto unknown = all();
  // Without a word whose it is, it was made by a version that did not say so.
  if (is_ours) std::erase_if(unknown, [this](std::int64_t run) { return reader_.run(run).has_value(); });
  for (const auto run : unknown) move_away(run);
  if (!unknown.empty()) {
    if (before) write_owner(folder_, *before);
    spdlog::error("{}: the evidence of {} runs is {}, so it was set aside in {}. Nothing was removed", root_,
                  unknown.size(),
                  is_ours ? "of runs that this database does not have"
                          : fmt::format("of another database ({} instead of {})", *before, database_id),
                  folder_);
  }
  if (before != database_id) write_owner(root_, database_id);
}

void EvidenceOwner::set_aside(std::int64_t run_id) {
  move_away(run_id);
  spdlog::error("{}/{} is evidence of a run that this database does not have: it was set aside in {}", root_, run_id,
                folder_);
}

}  // namespace writecanary::daemon
