#include "core/run/protocol.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/json_fields.h"
#include "core/base/json_text.h"
#include "core/base/limits.h"
#include "core/run/seed.h"

namespace writecanary {
namespace {

nlohmann::json document(const Hello& hello) {
  return {{"event", "hello"},       {"protocol", hello.protocol},     {"probe_version", hello.probe_version},
          {"run_id", hello.run_id}, {"profile", hello.profile},       {"seed", seed_text(hello.seed)},
          {"kernel", hello.kernel}, {"filesystem", hello.filesystem}, {"pressure", hello.pressure}};
}

nlohmann::json document(const Progress& progress) {
  return {{"event", "progress"},
          {"elapsed_seconds", progress.elapsed_seconds},
          {"fraction", progress.fraction},
          {"counters", progress.counters},
          {"tally", progress.tally}};
}

nlohmann::json document(const FindingEvent& event) {
  return {{"event", "finding"}, {"finding", event.finding}, {"early", event.early}};
}

nlohmann::json document(const RunEnd& end) {
  return {{"event", "run_end"},
          {"verdict", to_string(end.verdict)},
          {"reason", end.reason},
          {"counters", end.counters},
          {"tally", end.tally},
          {"duration_seconds", end.duration_seconds},
          {"first_finding_seconds",
           end.first_finding_seconds ? nlohmann::json(*end.first_finding_seconds) : nlohmann::json()},
          {"attribution", end.attribution},
          {"filesystem", end.filesystem ? nlohmann::json(*end.filesystem) : nlohmann::json()},
          {"coverage", end.coverage}};
}

Hello read_hello(const nlohmann::json& in) {
  Hello hello;
  JsonFields fields(in, "hello");
  // First of all: fields of another version need not be there.
  fields.require("protocol", hello.protocol);
  if (hello.protocol != kProtocolVersion) {
    throw ProtocolError(
        fmt::format("hello: the probe speaks protocol {}, this program {}: install both from the same release",
                    hello.protocol, kProtocolVersion));
  }
  fields.require("probe_version", hello.probe_version);
  fields.require("run_id", hello.run_id);
  fields.require("profile", hello.profile);
  fields.require_parsed("seed", hello.seed, parse_seed, kSeedExpected);
  fields.require("kernel", hello.kernel);
  fields.require("filesystem", hello.filesystem);
  fields.require("pressure", hello.pressure);
  return hello;
}

Progress read_progress(const nlohmann::json& in) {
  Progress progress;
  JsonFields fields(in, "progress");
  fields.require("elapsed_seconds", progress.elapsed_seconds);
  fields.require("fraction", progress.fraction);
  fields.require("counters", progress.counters);
  fields.require("tally", progress.tally);
  return progress;
}

FindingEvent read_finding(const nlohmann::json& in) {
  FindingEvent event;
  JsonFields fields(in, "finding");
  fields.require("finding", event.finding);
  fields.require("early", event.early);
  return event;
}

RunEnd read_run_end(const nlohmann::json& in) {
  RunEnd end;
  JsonFields fields(in, "run_end");
  fields.require_name("verdict", end.verdict, parse_verdict, "a verdict");
  fields.require("reason", end.reason);
  fields.require("counters", end.counters);
  fields.require("tally", end.tally);
  fields.require("duration_seconds", end.duration_seconds);
  fields.accept_null("first_finding_seconds", end.first_finding_seconds);
  fields.require("attribution", end.attribution);
  fields.accept_null("filesystem", end.filesystem);
  fields.require("coverage", end.coverage);
  return end;
}

}  // namespace

std::string encode(const Event& event) {
  const nlohmann::json out = std::visit([](const auto& value) { return document(value); }, event);
  std::string line = json_text(out);
  if (line.size() > kProtocolLineBytes) {
    throw ProtocolError(
        fmt::format("event: {} bytes are more than a line may have ({})", line.size(), kProtocolLineBytes));
  }
  return line;
}

Event decode(std::string_view line) {
  const nlohmann::json in = nlohmann::json::parse(line, nullptr, false);
  if (in.is_discarded()) {
    constexpr std::size_t kShown = 80;
    throw ProtocolError(
        fmt::format("event: not JSON: {}{}", line.substr(0, kShown), line.size() > kShown ? "..." : ""));
  }
  std::string name;
  JsonFields fields(in, "event");
  fields.require("event", name);
  if (name == "hello") return read_hello(in);
  if (name == "progress") return read_progress(in);
  if (name == "finding") return read_finding(in);
  if (name == "run_end") return read_run_end(in);
  fields.fail("event", "hello, progress, finding or run_end", name);
}

void LineReader::feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > kProtocolLineBytes) {
      throw ProtocolError(fmt::format("event: a line is longer than {} bytes", kProtocolLineBytes));
    }
    partial_ += piece;
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    const std::string line = std::exchange(partial_, {});
    on_line(line);
  }
}

}  // namespace writecanary
