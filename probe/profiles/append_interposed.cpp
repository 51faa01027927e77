// append-interposed: the torn append made certain, in one thread.
//
// A trapped append is punted after its inline attempt; before its worker may go on, a small record is appended through
// a second descriptor with a plain write(). open(2) promises that O_APPEND's seek and write are one atomic step, yet
// the small record stands inside the big one.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "core/error.h"
#include "probe/pattern.h"
#include "probe/plan.h"
#include "probe/profile.h"
#include "probe/stream.h"
#include "probe/trap.h"
#include "probe/trap_writer.h"

namespace writecanary::probe {
namespace {

constexpr std::uint8_t kSmallWriter = 1;
constexpr std::uint64_t kSmallMin = 1024, kSmallMax = 8192;

ProfileInfo describe() {
  return {
      .name = "append-interposed",
      .title = "append inside an append",
      .description =
          "A big io_uring append is stopped part-way; before its retry runs, a small record is appended to "
          "the same file with write(). Deterministic, single-threaded.",
      .role = "detector",
      .oracle = "Each acknowledged append stands in the file in one piece (open(2): O_APPEND is a single atomic step).",
      .exposure = "The big append had made inline progress and was waiting for its retry when the small one was made.",
      .needs_io_uring = true,
      .variants = {"async"},
      .options = armed_options(),
      .references = {"open(2), O_APPEND", "linux-xfs, June 2026: splitting an append write into two requests is racy"},
  };
}

class InterposedWriter final : public StreamWriter {
 public:
  InterposedWriter(RunContext& context, Trap& trap)
      : context_(context), trap_(trap), plan_(derive_seed(context.spec().seed, 1), kSmallMin, kSmallMax) {
    small_.resize(kSmallMax / kWordBytes);
  }

  void prepare() override { trap_.prepare(); }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t) override {
    if (writes_.empty()) second_ = context_.workspace().open(file.name(), O_WRONLY | O_APPEND);
    StreamWrite made;
    bool interposed = false;
    made.ref = trap_.write(file.fd(), bytes, -1, [&] { interposed = append_small(file); });
    made.exposed = interposed && (made.ref.inline_bytes != 0 || context_.spec().variant == Variant::kAsync);
    return made;
  }

  std::uint64_t other_bytes() const override { return acknowledged_; }

  void finish(FileLog& log) override {
    log.writers.push_back(std::move(writes_));
    writes_.clear();
    acknowledged_ = 0;
  }

 private:
  bool append_small(const RunFile& file) {
    const auto words = std::span(small_).first(plan_.next_length() / kWordBytes);
    Tag tag = context_.current_tag();
    tag.writer = kSmallWriter;
    Pattern(tag, context_.spec().incompressible).fill(acknowledged_, words);
    const ssize_t result = ::write(second_.get(), words.data(), words.size_bytes());
    if (result < 0) throw_errno("write to " + file.name());
    writes_.push_back({.index = writes_.size(),
                       .writer = kSmallWriter,
                       .stream_offset_bytes = acknowledged_,
                       .length_bytes = words.size_bytes(),
                       .route = Route::kSync,
                       .result = result,
                       .inline_bytes = 0,
                       .at_us = context_.elapsed_us()});
    acknowledged_ += static_cast<std::uint64_t>(result);
    return true;
  }

  RunContext& context_;
  Trap& trap_;
  Plan plan_;
  Fd second_;
  std::vector<std::uint64_t> small_;
  std::vector<WriteRef> writes_;
  std::uint64_t acknowledged_ = 0;
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  const auto trap = Trap::open(context.pressure(),
                               {.force_async = context.spec().variant == Variant::kAsync,
                                .headroom_bytes = context.option("headroom_bytes"),
                                .directory = context.workspace().directory()},
                               refused);
  if (!trap) return refused;
  InterposedWriter writer(context, *trap);
  run_stream(context, armed_shape(context, O_APPEND), writer);
  context.exposure_hint = explain_missing_exposures(context);
  return std::nullopt;
}

}  // namespace

extern const Profile kAppendInterposed;
const Profile kAppendInterposed{describe, run};

}  // namespace writecanary::probe
