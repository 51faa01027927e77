#include "probe/run/workspace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "core/base/error.h"
#include "core/base/system_text.h"
#include "core/text/units.h"
#include "probe/run/filesystem.h"

namespace writecanary::probe {
namespace {

constexpr char kHome[] = ".writecanary";
constexpr char kLock[] = "lock";
constexpr char kRunPrefix[] = "run-";

std::string real_path_of(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  if (!real) throw_errno("test " + path);
  return real.get();
}

Fd open_at(const Fd& directory, const std::string& shown, const std::string& name, int flags, unsigned mode = 0) {
  const int fd = openat(directory.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) throw_errno("open " + shown + "/" + name);
  return Fd(fd);
}

// Makes the canary's home when it is missing; a symbolic link in its place is refused by O_NOFOLLOW.
Fd open_home(const std::string& real_path) {
  const Fd parent = open_file(real_path, O_RDONLY | O_DIRECTORY);
  if (mkdirat(parent.get(), kHome, 0700) != 0 && errno != EEXIST) {
    throw_errno("make " + real_path + "/" + kHome +
                " (the canary works only there; make it and give it to this user if the directory itself must stay "
                "closed)");
  }
  return open_at(parent, real_path, kHome, O_RDONLY | O_DIRECTORY);
}

bool same_file(const Fd& fd, const Fd& directory, const char* name) {
  struct stat opened {
  }, named{};
  return fstat(fd.get(), &opened) == 0 && fstatat(directory.get(), name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

void sweep(const std::string& home) {
  for (const auto& entry : std::filesystem::directory_iterator(home)) {
    if (entry.path().filename().string().starts_with(kRunPrefix)) std::filesystem::remove_all(entry.path());
  }
}

}  // namespace

Workspace::Workspace(const RunSpec& spec)
    : min_free_bytes_(spec.min_free_bytes),
      min_free_percent_(spec.min_free_percent),
      page_bytes_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) {
  const std::string real_path = real_path_of(spec.path);
  filesystem_ = filesystem_of(open_file(real_path, O_RDONLY | O_DIRECTORY).get());
  check_mount(spec, real_path);
  home_ = real_path + "/" + kHome;
  home_fd_ = open_home(real_path);
  lock(real_path);
  sweep(home_);
}

void Workspace::check_mount(const RunSpec& spec, const std::string& real_path) {
  if (spec.require_mount && filesystem_.mount_point != system_name(real_path)) {
    throw WorkspaceRefusal(fmt::format("{} is not a mount point (it is on {}). Mount it, or set require_mount = false",
                                       real_path, filesystem_.mount_point));
  }
  if (!spec.expected_fstype.empty() && filesystem_.type != spec.expected_fstype) {
    throw WorkspaceRefusal(
        fmt::format("{} is {}, not {} as the configuration expects. Mount the right filesystem, or "
                    "change fstype",
                    real_path, filesystem_.type, spec.expected_fstype));
  }
}

void Workspace::lock(const std::string& real_path) {
  for (;;) {
    lock_fd_ = open_at(home_fd_, home_, kLock, O_RDWR | O_CREAT, 0600);
    if (flock(lock_fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) throw_errno("lock " + home_ + "/" + kLock);
      throw WorkspaceRefusal("another canary is at work in " + home_ +
                             " (it holds the lock). Wait for it, or stop it: fuser -v " + home_ + "/" + kLock);
    }
    // The former holder may have removed the file between our open and our lock.
    if (same_file(lock_fd_, home_fd_, kLock)) return;
    home_fd_ = open_home(real_path);
  }
}

Workspace::~Workspace() {
  std::error_code ignored;  // what cannot be removed now is swept by the next run
  directory_fd_.reset();
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  if (!lock_fd_) return;
  struct stat home {};
  const bool ours = fstat(home_fd_.get(), &home) == 0 && home.st_uid == geteuid();
  unlinkat(home_fd_.get(), kLock, 0);
  if (ours) std::filesystem::remove(home_, ignored);  // only when empty
}

void Workspace::make_run_directory(const std::string& run_id) {
  const std::string name = kRunPrefix + run_id;
  if (mkdirat(home_fd_.get(), name.c_str(), 0700) != 0) throw_errno("make " + home_ + "/" + name);
  directory_ = home_ + "/" + name;
  directory_fd_ = open_at(home_fd_, home_, name, O_RDONLY | O_DIRECTORY);
}

Fd Workspace::create(const std::string& name, int flags) const {
  return open_at(directory_fd_, directory_, name, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
}

Fd Workspace::open(const std::string& name, int flags) const { return open_at(directory_fd_, directory_, name, flags); }

void Workspace::remove(const std::string& name) const {
  if (unlinkat(directory_fd_.get(), name.c_str(), 0) != 0) throw_errno("remove " + directory_ + "/" + name);
}

Fd Workspace::lasting_directory(const std::string& name) const {
  if (mkdirat(home_fd_.get(), name.c_str(), 0700) != 0 && errno != EEXIST) throw_errno("make " + home_ + "/" + name);
  return open_at(home_fd_, home_, name, O_RDONLY | O_DIRECTORY);
}

std::uint64_t Workspace::block_bytes() const {
  constexpr std::uint64_t kBlockBytesMax = 64ULL << 10;
  struct statvfs facts {};
  if (fstatvfs(home_fd_.get(), &facts) != 0) throw_errno("statvfs " + home_);
  return std::clamp<std::uint64_t>(facts.f_bsize, page_bytes_, std::max(kBlockBytesMax, page_bytes_));
}

bool Workspace::enough_space(std::string& why) const {
  struct statvfs space {};
  if (fstatvfs(home_fd_.get(), &space) != 0) throw_errno("statvfs " + home_);
  const auto unit = static_cast<std::uint64_t>(space.f_frsize);
  const std::uint64_t available = space.f_bavail * unit;
  const auto floor = std::max(min_free_bytes_, static_cast<std::uint64_t>(static_cast<double>(space.f_blocks * unit) *
                                                                          min_free_percent_ / 100.0));
  if (available > floor) return true;
  why = fmt::format("{} free on {}, and {} must remain. Free some space, or lower min_free", format_size(available),
                    filesystem_.mount_point, format_size(floor));
  return false;
}

}  // namespace writecanary::probe
