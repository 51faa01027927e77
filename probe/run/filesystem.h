// Which filesystem is tested. Asked of the open directory, because names mislead: a path may be a symbolic link, a
// second filesystem can be mounted over the first, and another can be made in its place under the same name.
#pragma once

#include <string>

#include "core/run/run_result.h"

namespace writecanary::probe {

// Of an open directory, with UUID and device. Without a type where it is in no mount of this namespace. Throws
// SystemError.
FilesystemFacts filesystem_of(int fd);

// Empty if the open directory is the root of a filesystem, or of a subvolume of btrfs; else the directory of its
// filesystem that it is. Throws SystemError.
std::string directory_mounted_at(int fd);

// By name alone, without a call on it: what can be said before a sick filesystem is touched. Throws SystemError.
FilesystemFacts filesystem_at(const std::string& path);

// "2f4b6c1e-....": of the filesystem itself where it tells, else from the links that udev makes for block devices;
// empty when nobody knows. `type` and `device` are as in FilesystemFacts.
std::string filesystem_uuid(int fd, const std::string& type, const std::string& device,
                            const std::string& links = "/dev/disk/by-uuid");

}  // namespace writecanary::probe
