#include "api/http/framing.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/limits.h"

namespace writecanary::api {
namespace {

constexpr std::string_view kHeadEnd = "\n\r\n";
// Hexadecimal size, extensions and line end of one chunk.
constexpr std::size_t kChunkLineBytes = 256;

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  if (base == 10 && end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

RequestFraming::State RequestFraming::look(std::string_view input) {
  if (state_ == State::kHead) {
    const auto end = input.find(kHeadEnd, seen_);
    if (end == std::string_view::npos || end + kHeadEnd.size() > kRequestHeadBytes) {
      seen_ = input.size() - std::min(input.size(), kHeadEnd.size() - 1);
      return input.size() >= kRequestHeadBytes ? state_ = State::kTooLarge : state_;
    }
    size_ = seen_ = end + kHeadEnd.size();
    state_ = State::kBody;
    read_head(input.substr(0, size_));
  }
  if (state_ == State::kBody && chunked_) return state_ = look_at_chunks(input);
  if (state_ == State::kBody && input.size() >= size_) state_ = State::kWhole;
  return state_;
}

void RequestFraming::read_head(std::string_view head) {
  std::size_t body = 0;
  int lengths = 0;
  int encodings = 0;
  for (auto line_end = head.find('\n'); line_end + 1 < head.size();) {
    const auto begin = line_end + 1;
    line_end = head.find('\n', begin);
    const auto line = head.substr(begin, line_end - begin);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (equal_without_case(name, "Content-Length")) {
      ++lengths;
      body = number(value, 10).value_or(kRequestBodyBytes + 1);
    } else if (equal_without_case(name, "Transfer-Encoding")) {
      ++encodings;
      chunked_ = value == "chunked";
    } else if (equal_without_case(name, "Expect")) {
      expects_continue_ = equal_without_case(value, "100-continue");
    }
  }
  // What will be refused is not waited for.
  const bool refused = lengths + encodings > 1 || (encodings == 1 && !chunked_) || body > kRequestBodyBytes;
  if (refused) chunked_ = expects_continue_ = false;
  if (!refused) size_ += body;
}

RequestFraming::State RequestFraming::look_at_chunks(std::string_view input) {
  while (true) {
    const auto line_end = input.find('\n', seen_);
    if (line_end == std::string_view::npos) {
      if (input.size() - std::min(seen_, input.size()) <= kChunkLineBytes) return State::kBody;
      size_ = input.size();
      return State::kWhole;  // no chunk begins like this
    }
    if (last_chunk_) {
      size_ = line_end + 1;
      return State::kWhole;
    }
    const auto chunk = number(input.substr(seen_, line_end - seen_), 16);
    if (!chunk) {
      size_ = input.size();
      return State::kWhole;
    }
    last_chunk_ = *chunk == 0;
    if (*chunk > kRequestBodyBytes) return State::kTooLarge;
    seen_ = line_end + 1 + *chunk + (last_chunk_ ? 0 : 2);
    if (seen_ > kRequestHeadBytes + kRequestBodyBytes) return State::kTooLarge;
    if (input.size() < seen_) return State::kBody;
  }
}

}  // namespace writecanary::api
