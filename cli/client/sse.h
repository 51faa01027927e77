// Reads a stream of server-sent events (WHATWG HTML, section 9.2) out of the pieces in which it arrives.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace writecanary::cli {

struct SseEvent {
  std::string id;  // of this event or the last one before it that had one; empty: none yet
  std::string type = "message";
  std::string data;
};

class SseReader {
 public:
  // Calls on_event for each complete event until it returns false; returns false then. Throws CommandError when an
  // event grows beyond a megabyte.
  bool feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event);
  // Where to go on after a broken connection. An event that was cut off is forgotten by making a new reader.
  const std::string& last_id() const { return last_id_; }

 private:
  bool end_of_line(const std::function<bool(const SseEvent&)>& on_event);
  void field(std::string_view name, std::string_view value);

  std::string line_, type_, data_, last_id_;
  bool has_data_ = false;
  bool after_carriage_return_ = false;
};

}  // namespace writecanary::cli
