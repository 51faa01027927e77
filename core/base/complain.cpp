#include "core/base/complain.h"

#include <cstdio>
#include <new>

#include "core/base/system_text.h"

namespace writecanary {

// The C functions, because fmt's and the streams' may throw.
void complain(const std::string& line) noexcept {
  std::string text;
  try {
    text = system_text(line);
  } catch (const std::bad_alloc&) {
    text.clear();
  }
  static_cast<void>(std::fputs((text.empty() ? line : text).c_str(), stderr));
  static_cast<void>(std::fputc('\n', stderr));
}

}  // namespace writecanary
