#include <fmt/format.h>

#include <array>

#include "api/routes/routes.h"
#include "core/base/hash.h"
#include "web/assets.h"

namespace writecanary::api {
namespace {

// Places in the page that have an address of their own: the page itself looks at it. Its addresses are relative, since
// a proxy may show it below some path; so there is one for places at the top and one for those below them.
constexpr std::string_view kShell = "/index.html";
constexpr std::array kPlaces = {"/", "/runs", "/incidents", "/findings", "/kernels", "/start"};
constexpr std::string_view kShellBelow = "/index-below.html";
constexpr std::array kPlacesBelow = {"/runs/{id}", "/incidents/{id}", "/findings/{id}", "/targets/{name}"};

Outcome answer_asset(Call& call, const web::Asset& asset, std::uint64_t hash) {
  const bool compressed = !asset.gzip.empty() && call.request.wants_gzip;
  const std::string etag = fmt::format("\"{:016x}{}\"", hash, compressed ? "-gzip" : "");
  call.response.set_header("ETag", etag);
  call.response.set_header("Cache-Control", "no-cache");  // keep it, but ask each time
  if (!asset.gzip.empty()) call.response.set_header("Vary", "Accept-Encoding");
  if (call.request.header("If-None-Match") == etag) {
    call.response.status = 304;
    return std::nullopt;
  }
  if (compressed) call.response.set_header("Content-Encoding", "gzip");
  const std::string_view bytes = compressed ? asset.gzip : asset.body;
  // Not as a body, which would be compressed once more.
  call.response.set_source(
      [bytes](BodyWriter& writer) { return writer.write(bytes) ? BodyStep::kDone : BodyStep::kFailed; }, bytes.size(),
      std::string(asset.content_type));
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
    if (asset.path == kShell) {
      for (const char* place : kPlaces) add(place, asset);
    } else if (asset.path == kShellBelow) {
      for (const char* place : kPlacesBelow) add(place, asset);
    } else {
      add(std::string(asset.path), asset);
    }
  }
  return routes;
}

}  // namespace writecanary::api
