// Text of others, made safe to print.
#pragma once

#include <string>
#include <string_view>

namespace writecanary {

// Control characters replaced by '?', line breaks and tabs by a blank: text of others must not steer a terminal or
// forge a line of a log.
std::string printable(std::string_view text);

}  // namespace writecanary
