#include <fmt/format.h>

#include <array>

#include "api/routes/routes.h"
#include "core/base/hash.h"
#include "web/assets.h"

namespace writecanary::api {
namespace {

constexpr std::string_view kShell = "/index.html";
// Places in the page that have an address of their own: the page itself looks at it.
constexpr std::array kPlaces = {"/",        "/runs",  "/runs/{id}",     "/findings", "/findings/{id}",
                                "/kernels", "/start", "/targets/{name}"};

Outcome answer_asset(Call& call, const web::Asset& asset, std::uint64_t hash) {
  const bool compressed = !asset.gzip.empty() && call.request.get_header_value("Accept-Encoding") == "gzip";
  const std::string etag = fmt::format("\"{:016x}{}\"", hash, compressed ? "-gzip" : "");
  call.response.set_header("ETag", etag);
  call.response.set_header("Cache-Control", "no-cache");  // keep it, but ask each time
  if (!asset.gzip.empty()) call.response.set_header("Vary", "Accept-Encoding");
  if (call.request.get_header_value("If-None-Match") == etag) {
    call.response.status = 304;
    return std::nullopt;
  }
  if (compressed) call.response.set_header("Content-Encoding", "gzip");
  const std::string_view bytes = compressed ? asset.gzip : asset.body;
  // A provider with a length, because the library would compress what is given to it as content once more.
  call.response.set_content_provider(bytes.size(), std::string(asset.content_type),
                                     [bytes](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                       return sink.write(bytes.data() + offset, length);
                                     });
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> page_routes() {
  std::vector<Endpoint> routes;
  const auto add = [&routes](std::string path, const web::Asset& asset) {
    routes.push_back({"GET",
                      std::move(path),
                      {.summary = "Part of the page", .is_page = true},
                      [asset, hash = fnv1a(asset.body)](Call& call) { return answer_asset(call, asset, hash); }});
  };
  for (const auto& asset : web::assets()) {
    if (asset.path != kShell) {
      add(std::string(asset.path), asset);
      continue;
    }
    for (const char* place : kPlaces) add(place, asset);
  }
  return routes;
}

}  // namespace writecanary::api
