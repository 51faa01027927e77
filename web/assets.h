// The files of the page, embedded in the daemon so that one binary serves everything.
// What is not here: how they are served (api/routes/routes_pages.cpp) or made (web/build.mjs, cmake/EmbedFiles.cmake).
#pragma once

#include <span>
#include <string_view>

namespace writecanary::web {

struct Asset {
  std::string_view path;          // "/index.html", "/app.js", ...
  std::string_view content_type;  // with charset where it is text
  std::string_view body;
  std::string_view gzip;  // the same, compressed; empty where that would not be smaller
};

// All assets, in no particular order. Static storage; safe from any thread.
std::span<const Asset> assets();

}  // namespace writecanary::web
