// What a probe says on stderr: handed on line by line, and its end kept for the result of a run that went wrong.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace writecanary {

class LastWords {
 public:
  // Calls on_line for each line that is complete now, without its end and made printable.
  void feed(std::string_view bytes, const std::function<void(const std::string&)>& on_line);
  // The last of it, as one line; the line that was not ended too.
  std::string text() const;

 private:
  std::string partial_;  // the line that has not ended yet
  std::string kept_;     // lines before it
};

}  // namespace writecanary
