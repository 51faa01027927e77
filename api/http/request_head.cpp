#include "api/http/request_head.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/limits.h"

namespace writecanary::api {
namespace {

constexpr std::string_view kHeadEnd = "\n\r\n";
// Of these a second one is an attempt to have one reader see this value and another reader that one.
constexpr std::array<std::string_view, 11> kOnlyOnce = {
    "host",          "content-length", "content-type",    "content-encoding", "transfer-encoding",
    "authorization", "last-event-id",  "idempotency-key", "origin",           "sec-fetch-site",
    "expect",
};

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

// Bytes above ASCII are let through: names and agents have them.
bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_target(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The next line without its CRLF; nothing when it does not end so.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return std::nullopt;
  const auto line = text.substr(0, end - 1);
  text.remove_prefix(end + 1);
  return line;
}

bool read_request_line(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return false;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  head.version = line.substr(last + 1);
  return is_token(head.method) && is_target(head.target) && (head.version == "HTTP/1.1" || head.version == "HTTP/1.0");
}

bool is_repeated(const RequestHead& head, std::string_view name) {
  const auto is_it = [name](std::string_view other) { return equal_without_case(name, other); };
  return std::ranges::any_of(kOnlyOnce, is_it) && head.field(name).has_value();
}

RequestHead failed(int status) {
  RequestHead head;
  head.error = status;
  return head;
}

std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<std::string_view> RequestHead::field(std::string_view name) const {
  const auto found =
      std::ranges::find_if(fields, [&](const auto& each) { return equal_without_case(each.first, name); });
  if (found == fields.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> head_size(std::string_view input, std::size_t from) {
  const auto end = input.find(kHeadEnd, from - std::min(from, kHeadEnd.size() - 1));
  if (end == std::string_view::npos) return std::nullopt;
  return end + kHeadEnd.size();
}

RequestHead parse_head(std::string_view text) {
  RequestHead head;
  const auto first = take_line(text);
  if (!first) return failed(400);
  if (first->size() + 2 > kRequestLineBytes) return failed(414);
  if (!read_request_line(*first, head)) return failed(400);
  if (head.target.size() > kTargetBytes) return failed(414);
  for (auto line = take_line(text); line && !line->empty(); line = take_line(text)) {
    if (head.fields.size() == kHeaderFieldsMax) return failed(431);
    const auto colon = std::min(line->find(':'), line->size());
    const auto name = line->substr(0, colon);
    const auto value = trimmed(line->substr(std::min(colon + 1, line->size())));
    if (colon == line->size() || !is_token(name) || !is_field_value(value) || is_repeated(head, name))
      return failed(400);
    head.fields.emplace_back(name, value);
  }
  return text.empty() ? head : failed(400);  // a line that did not end as lines do is still there
}

BodyFraming body_framing(const RequestHead& head) {
  if (head.error != 0) return {.error = head.error};
  BodyFraming framing;
  const auto length = head.field("Content-Length");
  const auto encoding = head.field("Transfer-Encoding");
  if (encoding) {
    framing.chunked = *encoding == "chunked";
    if (!framing.chunked || length) return {.error = 400};
  }
  if (!length) return framing;
  if (length->empty() || length->find_first_not_of("0123456789") != std::string_view::npos) return {.error = 400};
  framing.length = number(*length, 10).value_or(kRequestBodyBytes + 1);
  if (framing.length > kRequestBodyBytes) return {.error = 413};
  return framing;
}

std::optional<std::size_t> chunk_size(std::string_view line) {
  if (line.size() + 2 > kChunkLineBytes || !is_field_value(line)) return std::nullopt;
  return number(trimmed(line.substr(0, line.find(';'))), 16);
}

std::optional<std::string> join_chunks(std::string_view body) {
  std::string text;
  while (true) {
    const auto line = take_line(body);
    const auto size = line ? chunk_size(*line) : std::nullopt;
    if (!size) return std::nullopt;
    if (*size == 0) return body == "\r\n" ? std::optional(std::move(text)) : std::nullopt;
    if (*size > body.size() || body.substr(*size, 2) != "\r\n" || text.size() + *size > kRequestBodyBytes) {
      return std::nullopt;
    }
    text += body.substr(0, *size);
    body.remove_prefix(*size + 2);
  }
}

}  // namespace writecanary::api
