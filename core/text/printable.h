// Text of others, made safe to print.
#pragma once

#include <string>
#include <string_view>

namespace writecanary {

// One line: line breaks and tabs are blanks, and what else could steer a terminal is as system_text() writes it.
std::string printable(std::string_view text);

}  // namespace writecanary
