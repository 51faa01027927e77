#include "daemon/loop/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <utility>

#include "core/base/system_text.h"

namespace writecanary::daemon {
namespace {

// The pattern below, with the message as system_text() has it.
class OneLineFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text = system_text({message.payload.data(), message.payload.size()});
    auto clean = message;
    clean.payload = text;
    pattern_.format(clean, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<OneLineFormatter>(); }

 private:
  spdlog::pattern_formatter pattern_{"%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc};
};

}  // namespace

void set_up_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_mt("writecanaryd");
  logger->set_formatter(std::make_unique<OneLineFormatter>());
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace writecanary::daemon
