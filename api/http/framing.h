// Where a request ends in a stream of bytes: so that a thread is given whole requests, and nobody can hold one by
// sending slowly.
//
// Judges nothing: a request whose framing makes no sense counts as whole at the end of its head, and the HTTP engine
// says what is wrong with it. Should the two ever disagree on where a request ends, the connection is closed.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

namespace writecanary::api {

class RequestFraming {
 public:
  enum class State {
    kHead,      // the head is not complete
    kBody,      // the head is, the body is not
    kWhole,     // size() bytes are the request
    kTooLarge,  // larger than a request may be
  };

  // `input` begins with the request and has grown since the last call, at its end only. Looks at each byte once.
  State look(std::string_view input);
  std::size_t size() const { return size_; }
  // Whether the client waits for "100 Continue" before it sends the body; true once.
  bool take_expectation() { return std::exchange(expects_continue_, false); }
  void reset() { *this = {}; }

 private:
  void read_head(std::string_view head);
  State look_at_chunks(std::string_view input);

  State state_ = State::kHead;
  std::size_t seen_ = 0;  // no end of the head before this; in a chunked body, where the next chunk begins
  std::size_t size_ = 0;
  bool chunked_ = false;
  bool last_chunk_ = false;
  bool expects_continue_ = false;
};

}  // namespace writecanary::api
