#include "core/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace writecanary {

SystemError::SystemError(const std::string& tried, int error_number)
    : std::runtime_error(tried + ": " + error_text(error_number)), error_number_(error_number) {}

void throw_errno(const std::string& tried) {
  const int error_number = errno;
  throw SystemError(tried, error_number);
}

std::string error_text(int error_number) {
  const char* text = strerrordesc_np(error_number);
  const char* symbol = strerrorname_np(error_number);
  if (text == nullptr || symbol == nullptr) return "unknown error " + std::to_string(error_number);
  return std::string(text) + " (" + symbol + ")";
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace writecanary
