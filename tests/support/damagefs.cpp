// damagefs: a FUSE filesystem that passes everything through to a directory and damages written data on purpose.
//
//   damagefs BACKING MOUNTPOINT --log FILE [--rule RULE] [--cached]
//
// It stays in the foreground and ends on SIGTERM or unmount. The rule can be changed while mounted, and read back with
// the number of writes seen and damaged, through the extended attribute user.damage of the mount point:
//
//   setfattr -n user.damage -v kind=zero,at=3,offset=4096,length=512 MOUNTPOINT
//
// A write longer than 1 MiB arrives here as several; with --cached, where the page cache stands between, the kernel may
// cut it anywhere. A file that is unlinked while open is .fuse_hidden... until it is closed (libfuse). Not a general
// passthrough: no links, no owners, no locks across mounts.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "tests/support/damaged_files.h"

#define FUSE_USE_VERSION 314
#include <fuse3/fuse.h>

namespace writecanary::damagefs {
namespace {

constexpr const char* kAttribute = "user.damage";

struct Mount {
  Fd backing;
  DamagedFiles files;
  bool cached;
};

struct OpenFile {
  Fd fd;
  std::string name;
};

Mount& mount_of_request() { return *static_cast<Mount*>(fuse_get_context()->private_data); }
int backing() { return mount_of_request().backing.get(); }

// What open or opendir left in the handle.
template <typename T>
T* handle_of(const fuse_file_info* info) {
  return reinterpret_cast<T*>(info->fh);  // NOLINT(performance-no-int-to-ptr): how FUSE carries it
}
OpenFile* open_file_of(const fuse_file_info* info) { return info != nullptr ? handle_of<OpenFile>(info) : nullptr; }
const char* relative(const char* path) { return path[1] == '\0' ? "." : path + 1; }
int result(int returned) { return returned < 0 ? -errno : 0; }
bool is_control(const char* path, const char* name) {
  return std::strcmp(path, "/") == 0 && std::strcmp(name, kAttribute) == 0;
}

void forget_contents(int fd) {
  struct stat file {};
  if (fstat(fd, &file) == 0 && file.st_size == 0) mount_of_request().files.forget(file.st_ino);
}

void* init(fuse_conn_info* /*connection*/, fuse_config* config) {
  config->use_ino = 1;
  // Sizes change behind the kernel's back.
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  return fuse_get_context()->private_data;
}

int getattr(const char* path, struct stat* out, fuse_file_info* info) {
  if (const OpenFile* file = open_file_of(info)) return result(fstat(file->fd.get(), out));
  return result(fstatat(backing(), relative(path), out, AT_SYMLINK_NOFOLLOW));
}

int mkdir(const char* path, mode_t mode) { return result(mkdirat(backing(), relative(path), mode)); }
int unlink(const char* path) { return result(unlinkat(backing(), relative(path), 0)); }
int rmdir(const char* path) { return result(unlinkat(backing(), relative(path), AT_REMOVEDIR)); }

int rename(const char* from, const char* to, unsigned flags) {
  return result(renameat2(backing(), relative(from), backing(), relative(to), flags));
}

int chmod(const char* path, mode_t mode, fuse_file_info* info) {
  if (const OpenFile* file = open_file_of(info)) return result(fchmod(file->fd.get(), mode));
  return result(fchmodat(backing(), relative(path), mode, 0));
}

int truncate(const char* path, off_t size, fuse_file_info* info) {
  if (const OpenFile* file = open_file_of(info)) {
    const int failed = result(ftruncate(file->fd.get(), size));
    forget_contents(file->fd.get());
    return failed;
  }
  const Fd fd(openat(backing(), relative(path), O_WRONLY | O_CLOEXEC));
  if (!fd) return -errno;
  const int failed = result(ftruncate(fd.get(), size));
  forget_contents(fd.get());
  return failed;
}

// O_APPEND is obeyed in DamagedFiles; O_DIRECT would demand an alignment that the requests do not have.
int open_backing(const char* path, int flags, mode_t mode, fuse_file_info* info) {
  auto file = std::make_unique<OpenFile>();
  file->fd = Fd(openat(backing(), relative(path), (flags & ~(O_APPEND | O_DIRECT)) | O_CLOEXEC, mode));
  if (!file->fd) return -errno;
  file->name = path + 1;
  forget_contents(file->fd.get());
  info->direct_io = mount_of_request().cached ? 0 : 1;
  info->fh = reinterpret_cast<std::uint64_t>(file.release());
  return 0;
}

int open(const char* path, fuse_file_info* info) { return open_backing(path, info->flags, 0, info); }
int create(const char* path, mode_t mode, fuse_file_info* info) {
  return open_backing(path, info->flags | O_CREAT, mode, info);
}

int release(const char* /*path*/, fuse_file_info* info) {
  const std::unique_ptr<OpenFile> closed(open_file_of(info));
  return 0;
}

int read(const char* /*path*/, char* out, std::size_t size, off_t offset, fuse_file_info* info) {
  const OpenFile& file = *open_file_of(info);
  const ssize_t got = pread(file.fd.get(), out, size, offset);
  if (got < 0) return -errno;
  const std::span read(out, static_cast<std::size_t>(got));
  mount_of_request().files.damage_read(file.name, read, static_cast<std::uint64_t>(offset));
  return static_cast<int>(got);
}

int write(const char* /*path*/, const char* bytes, std::size_t size, off_t offset, fuse_file_info* info) {
  const OpenFile& file = *open_file_of(info);
  return static_cast<int>(mount_of_request().files.write(
      file.fd.get(), file.name, {bytes, size}, static_cast<std::uint64_t>(offset), (info->flags & O_APPEND) != 0));
}

int fsync(const char* /*path*/, int data_only, fuse_file_info* info) {
  const int fd = open_file_of(info)->fd.get();
  return result(data_only != 0 ? fdatasync(fd) : ::fsync(fd));
}

int fallocate(const char* /*path*/, int mode, off_t offset, off_t length, fuse_file_info* info) {
  return result(::fallocate(open_file_of(info)->fd.get(), mode, offset, length));
}

int statfs(const char* /*path*/, struct statvfs* out) { return result(fstatvfs(backing(), out)); }

int utimens(const char* path, const timespec times[2], fuse_file_info* info) {
  if (const OpenFile* file = open_file_of(info)) return result(futimens(file->fd.get(), times));
  return result(utimensat(backing(), relative(path), times, AT_SYMLINK_NOFOLLOW));
}

int opendir(const char* path, fuse_file_info* info) {
  const int fd = openat(backing(), relative(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  info->fh = reinterpret_cast<std::uint64_t>(fdopendir(fd));
  return 0;
}

int readdir(const char* /*path*/, void* buffer, fuse_fill_dir_t fill, off_t /*offset*/, fuse_file_info* info,
            fuse_readdir_flags /*flags*/) {
  auto* directory = handle_of<DIR>(info);
  rewinddir(directory);
  while (const dirent* entry = ::readdir(directory)) {
    if (fill(buffer, entry->d_name, nullptr, 0, fuse_fill_dir_flags{}) != 0) break;
  }
  return 0;
}

int releasedir(const char* /*path*/, fuse_file_info* info) { return result(closedir(handle_of<DIR>(info))); }

int setxattr(const char* path, const char* name, const char* value, std::size_t size, int /*flags*/) {
  if (!is_control(path, name)) return -ENOTSUP;
  try {
    mount_of_request().files.set_rule({value, size});
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "damagefs: %s\n", error.what());
    return -EINVAL;
  }
}

int getxattr(const char* path, const char* name, char* value, std::size_t size) {
  if (!is_control(path, name)) return -ENODATA;
  const std::string status = mount_of_request().files.status();
  if (size != 0 && size < status.size()) return -ERANGE;
  status.copy(value, size);
  return static_cast<int>(status.size());
}

fuse_operations operations() {
  fuse_operations table{};
  table.getattr = getattr;
  table.mkdir = mkdir;
  table.unlink = unlink;
  table.rmdir = rmdir;
  table.rename = rename;
  table.chmod = chmod;
  table.truncate = truncate;
  table.open = open;
  table.read = read;
  table.write = write;
  table.statfs = statfs;
  table.release = release;
  table.fsync = fsync;
  table.fallocate = fallocate;
  table.setxattr = setxattr;
  table.getxattr = getxattr;
  table.opendir = opendir;
  table.readdir = readdir;
  table.releasedir = releasedir;
  table.init = init;
  table.create = create;
  table.utimens = utimens;
  return table;
}

// Serves one request at a time, so that the order of writes is the order of damage.
int serve(Mount& mount, const std::string& mount_point) {
  const char* arguments[] = {"damagefs", "-o", "fsname=damagefs,subtype=damage"};
  fuse_args args = FUSE_ARGS_INIT(3, const_cast<char**>(arguments));
  const fuse_operations table = operations();
  fuse* filesystem = fuse_new(&args, &table, sizeof table, &mount);
  if (filesystem == nullptr) return 1;
  int status = 1;
  if (fuse_mount(filesystem, mount_point.c_str()) == 0) {
    fuse_session* session = fuse_get_session(filesystem);
    if (fuse_set_signal_handlers(session) == 0) {
      status = fuse_loop(filesystem) < 0 ? 1 : 0;
      fuse_remove_signal_handlers(session);
    }
    fuse_unmount(filesystem);
  }
  fuse_destroy(filesystem);
  fuse_opt_free_args(&args);
  return status;
}

}  // namespace
}  // namespace writecanary::damagefs

int main(int argc, char** argv) {
  CLI::App app{"Passes a directory through and damages what is written, as told"};
  std::string backing;
  std::string mount_point;
  std::string log;
  std::string rule = "kind=none";
  bool cached = false;
  app.add_option("backing", backing)->required();
  app.add_option("mountpoint", mount_point)->required();
  app.add_option("--log", log, "file to which every damage is appended")->required();
  app.add_option("--rule", rule, "kind=...,on=read,file=PREFIX,at=N | every=N,offset=N | place=N,length=N,bit=N");
  app.add_flag("--cached", cached, "put the page cache between the writer and the damage");
  CLI11_PARSE(app, argc, argv);
  try {
    writecanary::damagefs::Mount mount{writecanary::open_file(backing, O_PATH | O_DIRECTORY),
                                       writecanary::damagefs::DamagedFiles(log), cached};
    mount.files.set_rule(rule);
    return writecanary::damagefs::serve(mount, mount_point);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "damagefs: %s\n", error.what());
    return 2;
  }
}
