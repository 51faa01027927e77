#include "api/http/message.h"

#include <utility>

namespace writecanary::api {
namespace {

const std::string& first_of(const Headers& headers, const std::string& name) {
  static const std::string kNothing;
  const auto found = headers.find(name);
  return found == headers.end() ? kNothing : found->second;
}

}  // namespace

const std::string& Request::header(const std::string& name) const { return first_of(headers, name); }

const std::string& Response::header(const std::string& name) const { return first_of(headers, name); }

void Response::set_header(const std::string& name, std::string value) {
  headers.erase(name);
  headers.emplace(name, std::move(value));
}

void Response::set_body(std::string text, const std::string& content_type) {
  body = std::move(text);
  source = nullptr;
  source_bytes.reset();
  set_header("Content-Type", content_type);
}

void Response::set_source(BodySource from, std::optional<std::uint64_t> bytes, const std::string& content_type) {
  body.clear();
  source = std::move(from);
  source_bytes = bytes;
  set_header("Content-Type", content_type);
}

}  // namespace writecanary::api
