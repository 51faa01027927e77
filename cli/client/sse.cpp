#include "cli/client/sse.h"

#include <utility>

#include "cli/terminal/environment.h"

namespace writecanary::cli {
namespace {

constexpr std::size_t kEventBytesMax = 1 << 20;

}  // namespace

bool SseReader::feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event) {
  for (const char byte : bytes) {
    const bool second_half = byte == '\n' && after_carriage_return_;
    after_carriage_return_ = byte == '\r';
    if (second_half) continue;
    if (byte != '\n' && byte != '\r') {
      line_ += byte;
      if (line_.size() + data_.size() > kEventBytesMax) {
        throw CommandError(kExitFailed, "an event of the stream is longer than 1 MiB; is this URL a writecanaryd?");
      }
    } else if (!end_of_line(on_event)) {
      return false;
    }
  }
  return true;
}

bool SseReader::end_of_line(const std::function<bool(const SseEvent&)>& on_event) {
  const std::string line = std::exchange(line_, {});
  if (!line.empty()) {
    const std::size_t colon = line.find(':');
    if (colon == 0) return true;  // a comment, sent to keep the connection alive
    std::string_view value = colon == std::string::npos ? std::string_view{} : std::string_view(line).substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(std::string_view(line).substr(0, colon), value);
    return true;
  }
  const bool complete = std::exchange(has_data_, false);
  SseEvent event{last_id_, type_.empty() ? "message" : type_, std::exchange(data_, {})};
  type_.clear();
  return !complete || on_event(event);
}

void SseReader::field(std::string_view name, std::string_view value) {
  if (name == "event") type_ = value;
  if (name == "id") last_id_ = value;
  if (name == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
}

}  // namespace writecanary::cli
