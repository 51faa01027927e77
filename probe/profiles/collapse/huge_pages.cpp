#include "probe/profiles/collapse/huge_pages.h"

#include <sstream>

namespace writecanary::probe {

std::uint64_t huge_bytes_of(std::istream& smaps, const std::string& beginning) {
  std::uint64_t kilobytes = 0;
  bool here = false;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream fields(line);
    std::string key;
    std::uint64_t value = 0;
    fields >> key;
    // A mapping's line begins with its addresses, the lines about it with a name and a colon.
    if (key.find('-') != std::string::npos && !key.ends_with(':')) here = line.starts_with(beginning);
    if (here && (key == "FilePmdMapped:" || key == "ShmemPmdMapped:") && fields >> value) kilobytes += value;
  }
  return kilobytes << 10;
}

}  // namespace writecanary::probe
