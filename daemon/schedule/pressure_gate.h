// How hard the host is short of memory: pressure stall information, Documentation/accounting/psi.rst.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace writecanary::daemon {

// "some avg60" in percent: the share of the last minute in which some task waited for memory. Nothing when the text
// does not hold it.
std::optional<double> parse_memory_pressure(std::string_view text);
// Reads the file; nothing when the kernel does not offer it (CONFIG_PSI off, psi=0).
std::optional<double> read_memory_pressure(const std::string& file = "/proc/pressure/memory");

}  // namespace writecanary::daemon
