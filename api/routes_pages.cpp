#include <fmt/format.h>

#include "api/routes.h"
#include "web/assets.h"

namespace writecanary::api {
namespace {

// FNV-1a. Tells two builds of a file apart; nothing depends on it being hard to forge.
std::uint64_t fingerprint(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

Outcome answer_asset(Call& call, const web::Asset& asset, const std::string& etag) {
  call.response.set_header("ETag", etag);
  call.response.set_header("Cache-Control", "no-cache");  // keep it, but ask each time
  if (call.request.get_header_value("If-None-Match") == etag) {
    call.response.status = 304;
    return std::nullopt;
  }
  call.response.set_content(asset.body.data(), asset.body.size(), std::string(asset.content_type));
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> page_routes() {
  std::vector<Endpoint> routes;
  for (const auto& asset : web::assets()) {
    const std::string etag = fmt::format("\"{:016x}\"", fingerprint(asset.body));
    routes.push_back(
        {"GET", std::string(asset.path), {.summary = "Part of the page", .is_page = true}, [asset, etag](Call& call) {
           return answer_asset(call, asset, etag);
         }});
  }
  return routes;
}

}  // namespace writecanary::api
