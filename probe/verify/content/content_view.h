// A file of which every byte's right content is known, as its writer sees it.
//
// Files of appends are judged by their log instead (probe/pattern/file_log.h): there content may have moved.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace writecanary::probe {

// Fills `out` with what must stand in the file from `offset` on.
using ExpectedBytes = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;

// What stands in the file is what stands in memory, which must outlive the view.
inline ExpectedBytes bytes_of(std::span<const std::byte> image) {
  return [image](std::uint64_t offset, std::span<std::byte> out) {
    std::ranges::copy(image.subspan(offset, out.size()), out.begin());
  };
}

struct ContentView {
  int fd = -1;
  std::string name;  // for findings
  std::uint64_t size_bytes = 0;
  ExpectedBytes expected;
  std::uint16_t run_tag = 0;   // of the run that wrote it, whose words are its own
  bool incompressible = true;  // how that run wrote
};

}  // namespace writecanary::probe
