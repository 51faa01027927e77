// Where lseek(2) says that a file has holes, against what must be data.
//
// A copy that follows SEEK_DATA alone cannot show a wrong SEEK_HOLE, and the other way round: both are asked here. A
// hole that is told to be data costs only space and is right (lseek(2)).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "probe/run/file_range.h"

namespace writecanary::probe {

struct HoleMap {
  std::vector<FileRange> by_seek_data;  // what SEEK_DATA skips
  std::vector<FileRange> by_seek_hole;  // beginnings of what SEEK_HOLE finds
  int refused = 0;                      // the errno with which the filesystem refuses to tell
};

// Throws SystemError; `name` is for its text.
HoleMap read_hole_map(int fd, const std::string& name, std::uint64_t size_bytes);

// Pure. The parts of the holes in which the image has something, each from its first byte that is not zero to its last.
std::vector<FileRange> data_in_holes(std::span<const FileRange> holes, std::span<const std::byte> image);

}  // namespace writecanary::probe
