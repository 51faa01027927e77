#include "api/refusal/request_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <random>

namespace writecanary::api {
namespace {

constexpr std::size_t kOfferedLengthMax = 64;

bool is_plain(const std::string& text) {
  return !text.empty() && text.size() <= kOfferedLengthMax &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

std::string request_id_for(const std::string& offered) {
  if (is_plain(offered)) return offered;
  static const std::uint32_t kProcess = std::random_device{}();
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{:08x}-{:06x}", kProcess, ++count);
}

}  // namespace writecanary::api
