// What a damaged file stood on: mount, geometry of the filesystem, and the devices beneath it down to the hardware.
#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/run/run_result.h"

namespace writecanary::probe {

// fstatfs(2) of the file's filesystem. Throws SystemError.
nlohmann::json geometry_part(int fd);
// XFS_IOC_FSGEOMETRY_V1 of an XFS: what xfs_info shows. Throws SystemError on any other filesystem.
nlohmann::json xfs_geometry_part(int fd);
// The UUID of an XFS, in the same way; nothing for any other filesystem.
std::optional<std::array<std::byte, 16>> xfs_uuid(int fd);

// Where to look; tests give their own.
struct DevicePaths {
  std::string sys = "/sys";
  std::string mountinfo = "/proc/self/mountinfo";
};
// The block device that holds the file, and what it stands on: through partitions, device mapper and md (their slaves)
// and loop devices (the filesystem of the backing file), as far as sysfs tells. A list, topmost first; each names the
// devices beneath it. `device` is "major:minor". Throws SystemError when there is no such block device.
nlohmann::json devices_part(const std::string& device, const DevicePaths& paths = {});
// "major:minor" for the file: its filesystem's, or where that is anonymous (btrfs) that of the mount's source.
std::string device_of(int fd, const FilesystemFacts& filesystem);

}  // namespace writecanary::probe
