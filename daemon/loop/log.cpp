#include "daemon/loop/log.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace writecanary::daemon {
namespace {

// The pattern below, with the message as one_line() has it.
class OneLineFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text = one_line({message.payload.data(), message.payload.size()});
    auto clean = message;
    clean.payload = text;
    pattern_.format(clean, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<OneLineFormatter>(); }

 private:
  spdlog::pattern_formatter pattern_{"%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc};
};

// C0 and DEL; and the C1 controls as UTF-8 writes them, which begin escape sequences too.
std::size_t control_bytes(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x20 || byte == 0x7f) return 1;
  const bool is_c1 = byte == 0xc2 && text.size() > 1 && (static_cast<unsigned char>(text[1]) & 0xe0) == 0x80;
  return is_c1 ? 2 : 0;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto controls = control_bytes(text);
    for (const char byte : text.substr(0, controls)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
    }
    if (controls == 0) out += text.front();
    text.remove_prefix(std::max<std::size_t>(controls, 1));
  }
  return out;
}

void set_up_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_mt("writecanaryd");
  logger->set_formatter(std::make_unique<OneLineFormatter>());
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace writecanary::daemon
