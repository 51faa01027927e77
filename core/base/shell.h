// Text for a POSIX shell, in commands that a person is given to type.
#pragma once

#include <string>
#include <string_view>

namespace writecanary {

// The text as one word: as it is when nothing in it is special, else in single quotes.
std::string shell_word(std::string_view text);

}  // namespace writecanary
