// Text for a POSIX shell, in commands that a person is given to type.
#pragma once

#include <string>
#include <string_view>

namespace writecanary {

// The bytes as one word: as they are when nothing in them is special, else in single quotes. What is not text
// (core/base/system_text.h) is written with escapes, $'caf\351', which every shell knows that people type into.
std::string shell_word(std::string_view text);

}  // namespace writecanary
