#include "daemon/loop/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
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

// stderr, without ever waiting long for who reads it: a container's log pipe that nobody empties would stop whoever has
// something to say, the loop first of all. What does not get through is left out and counted.
class PatientStderr final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (lost_ != 0) {
      const std::string told = fmt::format("({} lines of the log are lost: nobody read them)\n", lost_);
      if (!write_out(told)) {
        ++lost_;
        return;
      }
      lost_ = 0;
    }
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!write_out({line.data(), line.size()})) ++lost_;
  }
  void flush_() override {}

 private:
  // In pieces that a pipe with room takes as a whole (pipe(7), PIPE_BUF). Nothing is to be done about an error.
  bool write_out(std::string_view text) {
    while (!text.empty()) {
      pollfd room{STDERR_FILENO, POLLOUT, 0};
      if (poll(&room, 1, lost_ == 0 ? kPatienceMs : 0) == 0) return false;
      const ssize_t written = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (written < 0 && errno != EINTR) return true;
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return true;
  }

  static constexpr int kPatienceMs = 100;
  std::uint64_t lost_ = 0;  // lines since the last one that got through
};

}  // namespace

void set_up_log(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("writecanaryd", std::make_shared<PatientStderr>());
  logger->set_formatter(std::make_unique<OneLineFormatter>());
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace writecanary::daemon
