// Operations of the mixed-model profile as a finding lists them, turned into
// rows of a table in C.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace writecanary {

// "write 4096+300 (io_uring)" -> "{ WRITE, 4096, 300, 0, 1 }". Nothing for what
// is no operation. Pure.
std::optional<std::string> operation_row(std::string_view text);

}  // namespace writecanary
