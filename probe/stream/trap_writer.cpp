#include "probe/stream/trap_writer.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <vector>

namespace writecanary::probe {
namespace {

class TrapWriter final : public StreamWriter {
 public:
  // `meaningful`: whether a write that was never tried inline shows anything on this filesystem.
  TrapWriter(Trap& trap, const TrapStyle& style, bool meaningful)
      : trap_(trap), style_(style), meaningful_(meaningful) {}

  void prepare() override { trap_.prepare(); }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t offset_bytes) override {
    const std::int64_t offset = style_.offset == TrapOffset::kEndOfFile ? -1 : static_cast<std::int64_t>(offset_bytes);
    StreamWrite made{trap_.write(file.fd(), bytes, offset), false, CoveredWay::kRing};
    const bool punted = made.ref.route == Route::kPunted;
    made.exposed = punted && (style_.force_async ? meaningful_ : made.ref.inline_bytes != 0);
    return made;
  }

 private:
  Trap& trap_;
  TrapStyle style_;
  bool meaningful_;
};

// Enough to see one partial write even where some miss.
constexpr int kCalibrationWrites = 8;
constexpr std::uint32_t kCalibrationWriter = 99;  // only names its helper files

}  // namespace

std::vector<ProfileOption> trapped_options() {
  std::vector<ProfileOption> options = armed_options();
  const auto add = [&](const char* name, const char* description) {
    options.push_back({name, description, "0 or 1", 0, 1, 1});
  };
  add("arming", "0: do not make the timestamps current before the write");
  add("pacing", "0: do not settle the task's account of dirtied pages before the write");
  add("relief", "0: leave the memory limit low until the write has its result; the worker may be killed for memory");
  add("gate", "0: do not keep the worker waiting; no write then counts as exposed, for what it did inline is unknown");
  return options;
}

std::optional<Unsupported> run_trapped(RunContext& context, const StreamShape& shape, const TrapStyle& style) {
  const TrapOptions options{.force_async = style.force_async,
                            .headroom_bytes = armed_sizes(context).headroom,
                            .directory = context.workspace.directory(),
                            .parts = {.arming = context.settings.option("arming") != 0,
                                      .pacing = context.settings.option("pacing") != 0,
                                      .relief = context.settings.option("relief") != 0,
                                      .gate = context.settings.option("gate") != 0}};
  Unsupported refused;
  const auto trap = Trap::open(context.pressure, options, refused);
  if (!trap) return refused;
  const bool meaningful = !style.force_async || writes_inline(context);
  TrapWriter writer(*trap, style, meaningful);
  run_stream(context, shape, writer);
  if (meaningful)
    context.exposure_hint = explain_missing_exposures(context.meter.counters(), context.workspace.filesystem().type);
  return std::nullopt;
}

bool writes_inline(RunContext& context) {
  Unsupported refused;
  const auto trap = Trap::open(context.pressure,
                               {.headroom_bytes = armed_sizes(context).headroom,
                                .directory = context.workspace.directory(),
                                .writer = kCalibrationWriter},
                               refused);
  if (!trap) {
    context.exposure_hint = refused.reason;
    return false;
  }
  const RunFile scratch(context.workspace, "calibration", O_APPEND);
  const std::vector<std::byte> bytes(armed_sizes(context).write_min + kWordBytes, std::byte{1});
  for (int i = 0; i < kCalibrationWrites; ++i) {
    if (trap->write(scratch.fd(), bytes, -1).inline_bytes != 0) return true;
  }
  context.exposure_hint = fmt::format(
      "{} trapped appends made no inline progress, so {} makes no non-blocking buffered "
      "writes that could stop part-way",
      kCalibrationWrites, context.workspace.filesystem().type);
  return false;
}

std::string explain_missing_exposures(const RunCounters& counters, const std::string& filesystem) {
  if (counters.partial == 0 && counters.inline_writes == 0) {
    return fmt::format("{} punted every write before its first byte, so it makes no non-blocking buffered writes here",
                       filesystem);
  }
  if (counters.partial == 0) {
    return fmt::format("{} of {} writes completed inline on {}: the memory limit did not stop them",
                       counters.inline_writes, counters.writes, filesystem);
  }
  return fmt::format("only {} writes were stopped part-way", counters.partial);
}

}  // namespace writecanary::probe
