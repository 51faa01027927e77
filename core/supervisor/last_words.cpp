#include "core/supervisor/last_words.h"

#include <utility>

#include "core/text/printable.h"

namespace writecanary {
namespace {

// Enough for an assertion or an error with its cause; a flood must not fill the memory.
constexpr std::size_t kBytesKept = 2048;

void keep_the_end(std::string& text) {
  if (text.size() > kBytesKept) text.erase(0, text.size() - kBytesKept);
}

}  // namespace

void LastWords::feed(std::string_view bytes, const std::function<void(const std::string&)>& on_line) {
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    partial_ += bytes.substr(0, end);
    const std::string line = printable(std::exchange(partial_, {}));
    bytes.remove_prefix(end + 1);
    if (!kept_.empty()) kept_ += "; ";
    kept_ += line;
    keep_the_end(kept_);
    on_line(line);
  }
  partial_ += bytes;
  keep_the_end(partial_);
}

std::string LastWords::text() const {
  std::string text = kept_ + (kept_.empty() || partial_.empty() ? "" : "; ") + printable(partial_);
  keep_the_end(text);
  return text;
}

}  // namespace writecanary
