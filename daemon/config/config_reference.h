// The reference of every key, from the rows that the parser reads by: docs/configuration.md and writecanary.toml(5)
// hold what this prints, and a test compares them.
#pragma once

#include <string>

namespace writecanary::daemon {

enum class ReferenceFormat { kMarkdown, kMdoc };

// All sections in the order of the file, with defaults, ranges and meanings.
std::string config_reference(ReferenceFormat format);

}  // namespace writecanary::daemon
