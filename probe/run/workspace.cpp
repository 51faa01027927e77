#include "probe/run/workspace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/base/system_text.h"
#include "core/host/mountinfo.h"
#include "core/text/units.h"
#include "probe/run/filesystem.h"
#include "probe/run/removal.h"

namespace writecanary::probe {
namespace {

constexpr char kHome[] = ".writecanary";
constexpr char kLock[] = "lock";
constexpr char kRunPrefix[] = "run-";

std::string link_of(const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

Fd open_root(const std::string& path) {
  Fd root{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root) throw_errno("test " + path);
  return root;
}

std::string real_path_of(const Fd& root, const std::string& path) {
  std::error_code error;
  const std::string real = std::filesystem::read_symlink(link_of(root), error);
  return error ? path : real;
}

Fd open_at(const Fd& directory, const std::string& shown, const std::string& name, int flags, unsigned mode = 0) {
  const int fd = openat(directory.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) throw_errno("open " + shown + "/" + name);
  return Fd(fd);
}

struct stat status_of(const Fd& fd, const std::string& shown) {
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) throw_errno("stat " + shown);
  return status;
}

bool same_file(const Fd& fd, const Fd& directory, const char* name) {
  struct stat opened {
  }, named{};
  return fstat(fd.get(), &opened) == 0 && fstatat(directory.get(), name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// Who this process is on that filesystem: what it makes there belongs to that user. Some filesystems give every file to
// one (FAT), some servers make another of root (NFS).
bool makes_files_of(const Fd& home, uid_t owner) {
  const std::string name = fmt::format("owner-{}", getpid());
  const Fd made{openat(home.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!made) return false;
  unlinkat(home.get(), name.c_str(), 0);
  struct stat status {};
  return fstat(made.get(), &status) == 0 && status.st_uid == owner;
}

}  // namespace

Workspace::Workspace(const RunSpec& spec)
    : min_free_bytes_(spec.min_free_bytes),
      min_free_percent_(spec.min_free_percent),
      page_bytes_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))),
      root_fd_(open_root(spec.path)),
      path_(real_path_of(root_fd_, spec.path)),
      filesystem_(filesystem_of(root_fd_.get())) {
  check_mount(spec);
  home_fd_ = open_home();
  lock();
  sweep();
}

std::string Workspace::home() const { return path_ + "/" + kHome; }

std::string Workspace::directory() const { return link_of(directory_fd_); }

void Workspace::check_mount(const RunSpec& spec) const {
  if (spec.require_mount && filesystem_.mount_point != system_name(path_)) {
    throw WorkspaceRefusal(fmt::format("{} is not a mount point (it is on {}). Mount it, or set require_mount = false",
                                       path_, filesystem_.mount_point));
  }
  if (const std::string part = directory_mounted_at(root_fd_.get()); spec.require_mount && !part.empty()) {
    throw WorkspaceRefusal(
        fmt::format("{} is only the directory {} of the filesystem on {} (a bind mount, or a volume of a container), "
                    "which is there also while nothing is mounted on it. Mount a filesystem there, or set "
                    "require_mount = false",
                    path_, part, filesystem_.source));
  }
  if (!spec.expected_fstype.empty() && filesystem_.type != spec.expected_fstype) {
    throw WorkspaceRefusal(
        fmt::format("{} is {}, not {} as the configuration expects. Mount the right filesystem, or "
                    "change fstype",
                    path_, filesystem_.type, spec.expected_fstype));
  }
}

// Makes the canary's home when it is missing; a symbolic link in its place is refused by O_NOFOLLOW.
Fd Workspace::open_home() const {
  const bool is_new = mkdirat(root_fd_.get(), kHome, 0700) == 0;
  if (!is_new && errno != EEXIST) {
    throw_errno("make " + home() +
                " (the canary works only there; make it and give it to this user if the directory itself must stay "
                "closed)");
  }
  Fd opened = open_at(root_fd_, path_, kHome, O_RDONLY | O_DIRECTORY);
  check_home(opened, is_new);
  return opened;
}

void Workspace::check_home(const Fd& opened, bool is_new) const {
  if (mount_id(opened.get()) != mount_id(root_fd_.get())) {
    throw WorkspaceRefusal(home() + " is a mount of its own, so that another filesystem than that of " + path_ +
                           " would be tested. Unmount it");
  }
  const struct stat status = status_of(opened, home());
  if (!is_new && status.st_uid != geteuid() && !makes_files_of(opened, status.st_uid)) {
    throw WorkspaceRefusal(
        fmt::format("{} belongs to the user with the id {}, and this canary runs as {}: files of somebody else are no "
                    "place for it. Run as that user, name another directory on the filesystem, or remove it (rm -r)",
                    home(), status.st_uid, geteuid()));
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    throw WorkspaceRefusal(fmt::format("everyone can write to {0}. Close it: chmod o-w {0}", home()));
  }
}

void Workspace::lock() {
  for (;;) {
    lock_fd_ = open_at(home_fd_, home(), kLock, O_RDWR | O_CREAT, 0600);
    if (flock(lock_fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) throw_errno("lock " + home() + "/" + kLock);
      throw WorkspaceRefusal("another canary is at work in " + home() +
                             " (it holds the lock). Wait for it, or stop it: fuser -v " + home() + "/" + kLock);
    }
    // The former holder may have removed the file between our open and our lock.
    if (same_file(lock_fd_, home_fd_, kLock)) return;
    home_fd_ = open_home();
  }
}

void Workspace::sweep() const {
  for (const std::string& name : names_in(home_fd_.get())) {
    if (!name.starts_with(kRunPrefix) || remove_tree(home_fd_.get(), name)) continue;
    throw SystemError("remove " + home() + "/" + name + ", which a run that was cut off left", errno);
  }
}

Workspace::~Workspace() {
  directory_fd_.reset();
  // What cannot be removed now is swept by the next run.
  if (!run_.empty()) static_cast<void>(remove_tree(home_fd_.get(), run_));
  if (!lock_fd_) return;
  struct stat home_status {};
  const bool ours = fstat(home_fd_.get(), &home_status) == 0 && home_status.st_uid == geteuid();
  unlinkat(home_fd_.get(), kLock, 0);
  if (ours) unlinkat(root_fd_.get(), kHome, AT_REMOVEDIR);  // only when empty
}

void Workspace::make_run_directory(const std::string& run_id) {
  const std::string name = kRunPrefix + run_id;
  if (mkdirat(home_fd_.get(), name.c_str(), 0700) != 0) throw_errno("make " + home() + "/" + name);
  run_ = name;
  directory_fd_ = open_at(home_fd_, home(), name, O_RDONLY | O_DIRECTORY);
}

Fd Workspace::create(const std::string& name, int flags) const {
  return open_at(directory_fd_, home() + "/" + run_, name, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
}

Fd Workspace::open(const std::string& name, int flags) const {
  return open_at(directory_fd_, home() + "/" + run_, name, flags);
}

void Workspace::remove(const std::string& name) const {
  if (unlinkat(directory_fd_.get(), name.c_str(), 0) != 0) throw_errno("remove " + home() + "/" + run_ + "/" + name);
}

Fd Workspace::lasting_directory(const std::string& name) const {
  if (mkdirat(home_fd_.get(), name.c_str(), 0700) != 0 && errno != EEXIST) throw_errno("make " + home() + "/" + name);
  return open_at(home_fd_, home(), name, O_RDONLY | O_DIRECTORY);
}

std::uint64_t Workspace::block_bytes() const {
  constexpr std::uint64_t kBlockBytesMax = 64ULL << 10;
  struct statvfs facts {};
  if (fstatvfs(home_fd_.get(), &facts) != 0) throw_errno("statvfs " + home());
  return std::clamp<std::uint64_t>(facts.f_bsize, page_bytes_, std::max(kBlockBytesMax, page_bytes_));
}

bool Workspace::enough_space(std::string& why) const {
  struct statvfs space {};
  if (fstatvfs(home_fd_.get(), &space) != 0) throw_errno("statvfs " + home());
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
