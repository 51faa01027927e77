// append-interposed: the torn append made certain, in one thread.
//
// A trapped append is punted after its inline attempt; before its worker may go on, a small record is appended through
// a second descriptor with a plain write(). open(2) promises that O_APPEND's seek and write are one atomic step, yet
// the small record stands inside the big one. The same with the file made longer instead of written to, by ftruncate()
// or fallocate(): then zeros stand inside.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/stream/trap_writer.h"
#include "probe/trap/trap.h"

namespace writecanary::probe {
namespace {

constexpr std::uint8_t kSmallWriter = 1;
constexpr std::uint64_t kSmallMin = 1024, kSmallMax = 8192;

// What is done between the two halves: values of the option "between".
enum Between : std::int64_t { kAppend = 0, kTruncate = 1, kAllocate = 2 };

ProfileInfo describe() {
  std::vector<ProfileOption> options = armed_options();
  options.push_back({"between", "between the halves: 0 a small append, 1 ftruncate to a larger size, 2 fallocate",
                     "choice", kAppend, kAllocate, kAppend});
  return {
      .name = "append-interposed",
      .title = "append inside an append",
      .description =
          "A big io_uring append is stopped part-way; before its retry runs, a small record is appended to "
          "the same file with write(), or the file is made longer. Deterministic, single-threaded.",
      .role = "detector",
      .oracle = "Each acknowledged append stands in the file in one piece (open(2): O_APPEND is a single atomic step).",
      .exposure = "The big append had made inline progress and was waiting for its retry when the small one was made.",
      .needs_io_uring = true,
      .variants = {"async"},
      .options = std::move(options),
      .references = {"open(2), O_APPEND", "linux-xfs, June 2026: splitting an append write into two requests is racy"},
  };
}

class InterposedWriter final : public StreamWriter {
 public:
  InterposedWriter(RunContext& context, Trap& trap)
      : context_(context),
        trap_(trap),
        plan_(derive_seed(context.settings.spec().seed, 1), kSmallMin, kSmallMax),
        between_(static_cast<std::int64_t>(context.settings.option("between"))) {
    small_.resize(kSmallMax / kWordBytes);
  }

  void begin(const FileIdentity& file) override {
    second_ = context_.workspace.open(file.name, O_WRONLY | O_APPEND);
    Tag tag = file.tag;
    tag.writer = kSmallWriter;
    pattern_.emplace(tag, file.incompressible);
  }

  void prepare() override { trap_.prepare(); }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t) override {
    StreamWrite made;
    made.way = CoveredWay::kRing;
    bool interposed = false;
    made.ref = trap_.write(file.fd(), bytes, -1, [&] { interposed = interpose(file); });
    made.exposed = interposed && (made.ref.inline_bytes != 0 || context_.settings.spec().variant == Variant::kAsync);
    return made;
  }

  std::uint64_t other_bytes() const override { return acknowledged_; }

  void finish(FileLog& log) override {
    log.writers.push_back(std::move(writes_));
    if (between_ != kAppend) log.extender = kSmallWriter;
    writes_.clear();
    acknowledged_ = 0;
  }

 private:
  bool interpose(const RunFile& file) {
    const std::uint64_t length = plan_.next_length();
    if (between_ == kAppend) {
      append_small(file, std::span(small_).first(length / kWordBytes));
    } else {
      extend(file, length);
    }
    writes_.push_back({.index = writes_.size(),
                       .writer = kSmallWriter,
                       .stream_offset_bytes = acknowledged_,
                       .length_bytes = length,
                       .route = Route::kSync,
                       .result = static_cast<std::int64_t>(length),
                       .inline_bytes = 0,
                       .at_us = context_.meter.elapsed_us()});
    acknowledged_ += length;
    return true;
  }

  void append_small(const RunFile& file, std::span<std::uint64_t> words) {
    pattern_->fill(acknowledged_, words);
    const ssize_t written = retried([&] { return ::write(second_.get(), words.data(), words.size_bytes()); });
    if (written < 0) throw_errno("write to " + file.name());
    if (static_cast<std::size_t>(written) != words.size_bytes()) {
      throw SystemError("write to " + file.name() + ": a short result", ENOSPC);
    }
  }

  // Nobody else changes the size now: the big append's worker waits for the trap to open.
  void extend(const RunFile& file, std::uint64_t length) {
    const auto size = static_cast<off_t>(file.size_bytes());
    const auto longer = static_cast<off_t>(length);
    if (between_ == kTruncate && retried([&] { return ftruncate(second_.get(), size + longer); }) != 0) {
      throw_errno("truncate " + file.name());
    }
    if (between_ == kAllocate && retried([&] { return fallocate(second_.get(), 0, size, longer); }) != 0) {
      throw_errno("fallocate " + file.name());
    }
  }

  RunContext& context_;
  Trap& trap_;
  Plan plan_;
  std::int64_t between_;
  Fd second_;
  std::optional<Pattern> pattern_;  // of the small records
  std::vector<std::uint64_t> small_;
  std::vector<WriteRef> writes_;
  std::uint64_t acknowledged_ = 0;
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  const auto trap = Trap::open(context.pressure,
                               {.force_async = context.settings.spec().variant == Variant::kAsync,
                                .headroom_bytes = armed_sizes(context).headroom,
                                .directory = context.workspace.directory()},
                               refused);
  if (!trap) return refused;
  InterposedWriter writer(context, *trap);
  run_stream(context, armed_shape(context, O_APPEND), writer);
  context.exposure_hint = explain_missing_exposures(context.meter.counters(), context.workspace.filesystem().type);
  return std::nullopt;
}

}  // namespace

extern const Profile kAppendInterposed;
const Profile kAppendInterposed{describe, run};

}  // namespace writecanary::probe
