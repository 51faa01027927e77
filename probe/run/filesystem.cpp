#include "probe/run/filesystem.h"

#include <fmt/format.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

#include "core/base/system_text.h"
#include "core/host/host_facts.h"
#include "core/host/mountinfo.h"
#include "core/text/hex.h"
#include "probe/evidence/evidence_mount.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kUuidBytes = 16;
using Uuid = std::array<std::byte, kUuidBytes>;

// linux/fs.h since 6.9 (FS_IOC_GETFSUUID), answered by the kernel for every filesystem that has one.
struct AnyFilesystemUuid {
  std::uint8_t length;
  std::array<std::byte, kUuidBytes> uuid;
};
constexpr unsigned long kAnyFilesystemUuid = _IOR(0x15, 0, AnyFilesystemUuid);

// fs/ext4/ext4.h since 6.0 (EXT4_IOC_GETFSUUID). Its number is of the part before the UUID.
struct Ext4Uuid {
  std::uint32_t length, flags;
  std::array<std::byte, kUuidBytes> uuid;
};
constexpr unsigned long kExt4Uuid = _IOR('f', 44, std::uint64_t);

std::optional<Uuid> ask_kernel(int fd) {
  AnyFilesystemUuid answer{};
  if (ioctl(fd, kAnyFilesystemUuid, &answer) != 0 || answer.length != kUuidBytes) return std::nullopt;
  return answer.uuid;
}

std::optional<Uuid> ask_ext4(int fd) {
  Ext4Uuid answer{.length = kUuidBytes, .flags = 0, .uuid = {}};
  if (ioctl(fd, kExt4Uuid, &answer) != 0) return std::nullopt;
  return answer.uuid;
}

std::optional<Uuid> ask_btrfs(int fd) {
  btrfs_ioctl_fs_info_args answer{};
  if (ioctl(fd, BTRFS_IOC_FS_INFO, &answer) != 0) return std::nullopt;
  Uuid uuid;
  std::ranges::copy(std::as_bytes(std::span(answer.fsid)), uuid.begin());
  return uuid;
}

// In the usual groups of 8, 4, 4, 4 and 12 digits.
std::string in_groups(std::span<const std::byte> uuid) {
  std::string text = to_hex(uuid);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
  return text;
}

std::string linked_uuid(const std::string& device, const std::string& links) {
  std::error_code none;
  for (const auto& link : std::filesystem::directory_iterator(links, none)) {
    struct stat status {};
    if (stat(link.path().c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) continue;
    if (fmt::format("{}:{}", major(status.st_rdev), minor(status.st_rdev)) == device) {
      return system_name(link.path().filename().native());
    }
  }
  return {};
}

}  // namespace

std::string filesystem_uuid(int fd, const std::string& type, const std::string& device, const std::string& links) {
  std::optional<Uuid> uuid = ask_kernel(fd);
  if (!uuid && type == "xfs") uuid = xfs_uuid(fd);
  if (!uuid && type == "btrfs") uuid = ask_btrfs(fd);
  if (!uuid && type == "ext4") uuid = ask_ext4(fd);
  return uuid ? in_groups(*uuid) : linked_uuid(device, links);
}

FilesystemFacts filesystem_of(int fd) {
  const auto mount = find_mount(read_mountinfo(), fd);
  if (!mount) return {};
  FilesystemFacts facts = filesystem_facts(*mount);
  facts.uuid = filesystem_uuid(fd, mount->type, mount->device);
  return facts;
}

std::string directory_mounted_at(int fd) {
  constexpr ino_t kSubvolumeRoot = 256;  // BTRFS_FIRST_FREE_OBJECTID
  const auto mount = find_mount(read_mountinfo(), fd);
  if (!mount || mount->root == "/") return {};
  struct stat status {};
  const bool is_subvolume = mount->type == "btrfs" && fstat(fd, &status) == 0 && status.st_ino == kSubvolumeRoot;
  return is_subvolume || (mount->type != "btrfs" && shows_a_root(*mount)) ? "" : system_name(mount->root);
}

FilesystemFacts filesystem_at(const std::string& path) {
  const auto mount = find_mount(read_mountinfo(), path);
  return mount ? filesystem_facts(*mount) : FilesystemFacts{};
}

}  // namespace writecanary::probe
