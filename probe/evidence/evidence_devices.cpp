// The part of probe/evidence/evidence_mount.h that walks sysfs from a block device down to the hardware.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/system_text.h"
#include "core/host/mountinfo.h"
#include "probe/evidence/evidence_mount.h"

namespace writecanary::probe {
namespace {

namespace fs = std::filesystem;

// A volume group over many disks is told by its first ones.
constexpr std::size_t kDevicesListed = 16;

// An attribute's text, empty when the device has no such.
std::string attribute(const fs::path& file) {
  try {
    std::string text = read_file(file);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
  } catch (const SystemError&) {
    return {};
  }
}

class DeviceWalk {
 public:
  explicit DeviceWalk(const DevicePaths& paths) : paths_(paths) {}

  // Lists the device and all beneath it once each. Returns its name, empty when there is no such block device.
  std::string visit(const std::string& number) {
    std::error_code error;
    const fs::path directory = fs::canonical(fs::path(paths_.sys) / "dev/block" / number, error);
    return error ? std::string() : visit_directory(directory);
  }

  nlohmann::json take() { return std::move(devices_); }

 private:
  std::string visit_directory(const fs::path& directory) {
    std::string name = directory.filename();
    if (std::ranges::find(seen_, name) != seen_.end() || seen_.size() == kDevicesListed) return name;
    seen_.push_back(name);
    const std::size_t place = devices_.size();
    devices_.push_back(describe(directory));
    nlohmann::json beneath = nlohmann::json::array();
    for (const std::string& below : visit_beneath(directory)) beneath.push_back(below);
    devices_[place]["stands_on"] = std::move(beneath);
    return name;
  }

  static nlohmann::json describe(const fs::path& directory) {
    // A partition's queue and hardware are its disk's.
    nlohmann::json device = {{"name", directory.filename()}, {"number", attribute(directory / "dev")}};
    for (const auto& [key, file] :
         {std::pair("sectors_of_512", "size"), std::pair("read_only", "ro"), std::pair("model", "device/model"),
          std::pair("vendor", "device/vendor"), std::pair("firmware", "device/firmware_rev"),
          std::pair("revision", "device/rev"), std::pair("dm_name", "dm/name"), std::pair("dm_uuid", "dm/uuid"),
          std::pair("md_level", "md/level"), std::pair("backing_file", "loop/backing_file"),
          std::pair("loop_direct_io", "loop/dio"), std::pair("rotational", "queue/rotational"),
          std::pair("scheduler", "queue/scheduler"), std::pair("write_cache", "queue/write_cache"),
          std::pair("logical_block_bytes", "queue/logical_block_size"),
          std::pair("physical_block_bytes", "queue/physical_block_size")}) {
      if (const std::string text = attribute(directory / file); !text.empty()) device[key] = system_name(text);
    }
    return device;
  }

  std::vector<std::string> visit_beneath(const fs::path& directory) {
    std::vector<std::string> names;
    std::error_code none;
    if (fs::exists(directory / "partition", none)) names.push_back(visit_directory(directory.parent_path()));
    for (const auto& slave : fs::directory_iterator(directory / "slaves", none)) {
      std::error_code gone;
      const fs::path real = fs::canonical(slave.path(), gone);
      if (!gone) names.push_back(visit_directory(real));
    }
    const std::string backing = attribute(directory / "loop/backing_file");
    if (backing.starts_with('/')) {
      const auto mount = find_mount(read_mountinfo(paths_.mountinfo), backing);
      if (mount) names.push_back(beneath_file(*mount));
    }
    return names;
  }

  std::string beneath_file(const Mount& mount) {
    const std::string name = visit(mount.device);
    return name.empty() ? fmt::format("{} on {}", system_name(mount.type), system_name(mount.source)) : name;
  }

  const DevicePaths& paths_;
  std::vector<std::string> seen_;
  nlohmann::json devices_ = nlohmann::json::array();
};

}  // namespace

nlohmann::json devices_part(const std::string& device, const DevicePaths& paths) {
  DeviceWalk walk(paths);
  if (walk.visit(device).empty()) {
    throw SystemError(fmt::format("look up block device {} in {}/dev/block", device, paths.sys), ENOENT);
  }
  return walk.take();
}

}  // namespace writecanary::probe
