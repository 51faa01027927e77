// What a probe may say: whatever the bytes, each line is an event or a ProtocolError, and an event that is understood
// means the same after being said again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/run/protocol.h"

namespace writecanary {
namespace {

void hear(std::string_view line) {
  try {
    const auto said = encode(decode(line));
    WC_CHECK(encode(decode(said)) == said);
  } catch (const ProtocolError&) {  // NOLINT(bugprone-empty-catch): the expected refusal
  }
}

}  // namespace
}  // namespace writecanary

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    writecanary::LineReader lines;
    // In two pieces, as a pipe may deliver them.
    lines.feed(bytes.substr(0, size / 2), writecanary::hear);
    lines.feed(bytes.substr(size / 2), writecanary::hear);
  } catch (const writecanary::ProtocolError&) {  // NOLINT(bugprone-empty-catch): a line that is too long
  }
  return 0;
}
