// What may hold a file's bytes in memory below the page cache, so that reading after an eviction proves nothing about
// storage.
#pragma once

#include <string>

#include "core/run/run_result.h"

namespace writecanary::probe {

// "loop0, which reads through the page cache", "the server of nfs4"; empty when nothing of the kind is known. `sysfs`
// is where sysfs is mounted.
std::string below_cache(const FilesystemFacts& filesystem, const std::string& sysfs = "/sys");

}  // namespace writecanary::probe
