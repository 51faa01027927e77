#include "api/http/framing.h"

#include <algorithm>

#include "api/http/request_head.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

std::string_view without_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

RequestFraming::State RequestFraming::look(std::string_view input) {
  if (state_ == State::kHead) {
    const auto size = head_size(input, seen_);
    if (!size || *size > kRequestHeadBytes) {
      seen_ = input.size();
      return input.size() >= kRequestHeadBytes ? state_ = State::kTooLarge : state_;
    }
    size_ = seen_ = *size;
    state_ = State::kBody;
    read_head(input.substr(0, size_));
  }
  if (state_ == State::kBody && chunked_) return state_ = look_at_chunks(input);
  if (state_ == State::kBody && input.size() >= size_) state_ = State::kWhole;
  return state_;
}

void RequestFraming::read_head(std::string_view text) {
  const auto head = parse_head(text);
  const auto body = body_framing(head);
  if (body.error != 0) return;  // what will be refused is not waited for
  chunked_ = body.chunked;
  size_ += body.length;
  expects_continue_ = equal_without_case(head.field("Expect").value_or(""), "100-continue");
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
    const auto chunk = chunk_size(without_return(input.substr(seen_, line_end - seen_)));
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
