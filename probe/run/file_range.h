// A stretch of a file.
#pragma once

#include <cstdint>

namespace writecanary::probe {

struct FileRange {
  std::uint64_t offset = 0, length = 0;
};

}  // namespace writecanary::probe
