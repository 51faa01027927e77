// The head of a request and the framing of its body, read strictly: what is not as RFC 9112 writes it is refused, never
// guessed at. Nobody behind this sees a control byte, a folded line, or two values where there can only be one.
//
// Header values are taken as they stand. (cpp-httplib decodes %0A in them, which forges lines of a log.)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace writecanary::api {

// Request line, headers, and the framing of a body sent in chunks.
inline constexpr std::size_t kRequestHeadBytes = 32'768;
inline constexpr std::size_t kRequestLineBytes = 8192;
// What the longest form of a line that the engine writes for the library leaves of that.
inline constexpr std::size_t kTargetBytes = kRequestLineBytes - std::string_view("HEAD  HTTP/1.1\r\n").size();
// A browser sends some twenty, a chain of proxies ten more.
inline constexpr std::size_t kHeaderFieldsMax = 100;
// Hexadecimal size, extensions and line end of one chunk.
inline constexpr std::size_t kChunkLineBytes = 256;

struct RequestHead {
  int error = 0;  // 400, 414, 431: it cannot be used, and the rest is empty; 0: it can
  std::string_view method = {};
  std::string_view target = {};                                            // printable ASCII without '#'
  std::string_view version = {};                                           // "HTTP/1.0" or "HTTP/1.1"
  std::vector<std::pair<std::string_view, std::string_view>> fields = {};  // values without the blanks around them

  // The first of that name; nothing without one.
  std::optional<std::string_view> field(std::string_view name) const;
};

// How many bytes the head has, its empty line included; nothing while it is not complete. No end is looked for before
// `from`.
std::optional<std::size_t> head_size(std::string_view input, std::size_t from = 0);
// Of exactly these bytes, which the result refers to.
RequestHead parse_head(std::string_view head);

// What follows the head.
struct BodyFraming {
  int error = 0;  // 400, 413: nobody can say, or it is too large
  bool chunked = false;
  std::size_t length = 0;  // unless it comes in chunks
};
BodyFraming body_framing(const RequestHead& head);

// The line at the beginning of a chunk, without its line end: how many bytes follow. Extensions are not looked at.
// Nothing: it is none.
std::optional<std::size_t> chunk_size(std::string_view line);
// What the chunks hold. Nothing when they are not well-formed and complete; trailers are not taken.
std::optional<std::string> join_chunks(std::string_view body);

bool equal_without_case(std::string_view a, std::string_view b);
// Calls `each` with the elements of a list in a header, without blanks around them.
template <typename Each>
void for_each_element(std::string_view list, const Each& each) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto element = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) element.remove_prefix(1);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.remove_suffix(1);
    if (!element.empty()) each(element);
  }
}

}  // namespace writecanary::api
