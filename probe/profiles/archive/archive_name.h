// What a file of the archive says of itself, in its name: all that is needed to know each of its bytes, its age and the
// kernel that wrote it. Pure.
//
// In the name, not in the file, so that every byte of the file is judged alike, and rot in it cannot hide what it was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probe/pattern/pattern.h"

namespace writecanary::probe {

struct ArchiveName {
  std::uint64_t created_unix_s = 0;
  std::uint64_t size_bytes = 0;
  Tag tag;
  bool incompressible = true;
  std::string kernel;  // release that wrote it

  friend bool operator==(const ArchiveName&, const ArchiveName&) = default;
};

// "1764000000_2097152_77_3_i_6.1.0-47-cloud-amd64".
std::string to_string(const ArchiveName& name);
// Nothing for a name that is not of this form.
std::optional<ArchiveName> parse_archive_name(std::string_view text);

}  // namespace writecanary::probe
