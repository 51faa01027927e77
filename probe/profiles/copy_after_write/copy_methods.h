// The ways in which a file is copied: by a program that asks where data is, by the kernel, and through pipes and
// sockets; into a new file, and by pieces over one that holds other bytes.
#pragma once

#include <cstdint>
#include <span>

namespace writecanary::probe {

struct CopyMethod {
  const char* name;
  // Copies the whole of `from` to the empty file `to`. Returns 0, or the errno with which the filesystem refuses such
  // copies; throws SystemError for any other failure.
  int (*copy)(int from, int to, std::uint64_t size_bytes);
};

std::span<const CopyMethod> copy_methods();

}  // namespace writecanary::probe
