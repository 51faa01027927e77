#include "core/base/complain.h"

#include <cstdio>

namespace writecanary {

// The C functions, because fmt's and the streams' may throw.
void complain(const std::string& line) noexcept {
  static_cast<void>(std::fputs(line.c_str(), stderr));
  static_cast<void>(std::fputc('\n', stderr));
}

}  // namespace writecanary
