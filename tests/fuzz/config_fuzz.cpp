// A configuration file: whatever the text, there is a configuration or a complaint with a place, and a configuration
// that is right is the same after being printed and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "daemon/config/config_toml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = writecanary::daemon::parse_config({reinterpret_cast<const char*>(data), size});
  if (!parsed.issues.empty()) return 0;
  const auto printed = writecanary::daemon::dump_config(parsed.config);
  const auto again = writecanary::daemon::parse_config(printed);
  WC_CHECK(again.issues.empty());
  WC_CHECK(writecanary::daemon::dump_config(again.config) == printed);
  writecanary::daemon::access_rules(parsed.config);
  return 0;
}
