// How things fail. Four kinds are never mixed: a finding is data (core/run/finding.h); an expected refusal is a value
// (api/refusal/refusal.h); an operational failure is an exception of the types here, caught at one boundary per thread
// or request; a bug aborts through WC_CHECK, which stays on in release builds.
#pragma once

#include <stdexcept>
#include <string>

namespace writecanary {

// A system call failed. The text says what was tried, on what, and why it failed: `open /data/.writecanary: Permission
// denied`.
class SystemError : public std::runtime_error {
 public:
  SystemError(const std::string& tried, int error_number);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

// What came is not what was agreed on: a line of the probe, a document, a file of evidence. The text names the field.
struct ProtocolError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws SystemError with the current errno.
[[noreturn]] void throw_errno(const std::string& tried);

// `Permission denied (EACCES)`: the text and the symbol, for people and for searching.
std::string error_text(int error_number);

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace writecanary

#define WC_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::writecanary::check_failed(#expression, __FILE__, __LINE__))
