#include "probe/evidence/evidence_mount.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/system_text.h"
#include "core/text/hex.h"

namespace writecanary::probe {
namespace {

// xfs_fs.h of the kernel, where it is no part of the exported headers. The layout of version 1 has been fixed since
// the filesystem came to Linux; later versions only add to it.
struct XfsGeometryV1 {
  std::uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
  std::uint64_t datablocks, rtblocks, rtextents, logstart;
  std::array<std::byte, 16> uuid;
  std::uint32_t sunit, swidth;
  std::int32_t version;
  std::uint32_t flags, logsectsize, rtsectsize, dirblocksize;
};
static_assert(sizeof(XfsGeometryV1) == 112);
constexpr unsigned long kXfsGeometryV1 = _IOR('X', 100, XfsGeometryV1);

// Filesystems that do not count say 2^64-1, which many readers of JSON round; the hash of the part would be another.
nlohmann::json exactly(std::uint64_t count) {
  constexpr std::uint64_t kExactMax = 1ULL << 53;
  return count <= kExactMax ? nlohmann::json(count) : nlohmann::json(std::to_string(count));
}

std::string device_number(dev_t device) { return fmt::format("{}:{}", major(device), minor(device)); }

}  // namespace

nlohmann::json geometry_part(int fd) {
  struct statfs status {};
  if (fstatfs(fd, &status) != 0) throw_errno("fstatfs");
  return {{"magic", fmt::format("{:#x}", static_cast<std::uint64_t>(status.f_type))},
          {"block_bytes", status.f_bsize},
          {"blocks", exactly(status.f_blocks)},
          {"blocks_free", exactly(status.f_bfree)},
          {"blocks_available", exactly(status.f_bavail)},
          {"files", exactly(status.f_files)},
          {"files_free", exactly(status.f_ffree)}};
}

nlohmann::json xfs_geometry_part(int fd) {
  XfsGeometryV1 geometry{};
  if (ioctl(fd, kXfsGeometryV1, &geometry) != 0) throw_errno("XFS_IOC_FSGEOMETRY_V1");
  return {{"block_bytes", geometry.blocksize},
          {"sector_bytes", geometry.sectsize},
          {"inode_bytes", geometry.inodesize},
          {"allocation_groups", geometry.agcount},
          {"allocation_group_blocks", geometry.agblocks},
          {"data_blocks", geometry.datablocks},
          {"log_blocks", geometry.logblocks},
          {"log_internal", geometry.logstart != 0},
          {"log_sector_bytes", geometry.logsectsize},
          {"realtime_blocks", geometry.rtblocks},
          {"realtime_extent_blocks", geometry.rtextsize},
          {"directory_block_bytes", geometry.dirblocksize},
          {"stripe_unit_blocks", geometry.sunit},
          {"stripe_width_blocks", geometry.swidth},
          {"feature_flags", fmt::format("{:#x}", geometry.flags)},
          {"uuid", to_hex(geometry.uuid)}};
}

std::optional<std::array<std::byte, 16>> xfs_uuid(int fd) {
  XfsGeometryV1 geometry{};
  if (ioctl(fd, kXfsGeometryV1, &geometry) != 0) return std::nullopt;
  return geometry.uuid;
}

std::string device_of(int fd, const FilesystemFacts& filesystem) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("fstat");
  if (major(status.st_dev) != 0) return device_number(status.st_dev);
  if (stat(system_bytes(filesystem.source).c_str(), &status) != 0) {
    throw_errno("stat the mount's source " + filesystem.source);
  }
  if (!S_ISBLK(status.st_mode)) throw SystemError(filesystem.source + " as the mount's device", ENOTBLK);
  return device_number(status.st_rdev);
}

}  // namespace writecanary::probe
