# Writes OUTPUT, a C++ file that defines writecanary::web::assets() from the files in SOURCE_DIR.
file(GLOB FILES RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/*)
list(SORT FILES)
set(ARRAYS "")
set(TABLE "")
set(N 0)
foreach(FILE ${FILES})
  file(READ ${SOURCE_DIR}/${FILE} HEX HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," BYTES "${HEX}")
  string(APPEND ARRAYS "constexpr unsigned char kBytes${N}[] = {${BYTES}};\n")
  if(FILE MATCHES "\\.html$")
    set(TYPE "text/html; charset=utf-8")
  elseif(FILE MATCHES "\\.js$")
    set(TYPE "text/javascript; charset=utf-8")
  elseif(FILE MATCHES "\\.css$")
    set(TYPE "text/css; charset=utf-8")
  elseif(FILE MATCHES "\\.svg$")
    set(TYPE "image/svg+xml")
  else()
    message(FATAL_ERROR "web/page/${FILE}: no content type known; add it to cmake/EmbedFiles.cmake")
  endif()
  set(PATH "/${FILE}")
  if(FILE STREQUAL "index.html")
    set(PATH "/")
  endif()
  string(APPEND TABLE "    {\"${PATH}\", \"${TYPE}\", text(kBytes${N})},\n")
  math(EXPR N "${N} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Generated from web/page by cmake/EmbedFiles.cmake.
#include \"web/assets.h\"

namespace writecanary::web {
namespace {

${ARRAYS}
template <std::size_t N>
std::string_view text(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::span<const Asset> assets() {
  static const Asset kAssets[] = {
${TABLE}  };
  return kAssets;
}

}  // namespace writecanary::web
")
