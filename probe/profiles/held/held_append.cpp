// held-append: an append is held open in its middle, and another one is made beside it.
//
// open(2) promises that with O_APPEND the seek to the end and the write are one atomic step. The second append must
// wait, or find its own place; when both have ended each stands in the file in one piece. append-concurrent lets
// writers meet by chance, append-interposed needs io_uring's own gap; this asks the lock itself, for every pair of ways
// to append.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/held/held_file.h"
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {
namespace {

constexpr std::uint8_t kSecondWriter = 1;
constexpr std::uint64_t kSecondMin = 64, kSecondMax = 24UL << 10;

// kWorker: through a ring as well, but never tried inline (IOSQE_ASYNC).
enum class Way : std::uint8_t { kWrite, kFlag, kRing, kWorker };
constexpr std::array kSecondWays = {Way::kWrite, Way::kFlag, Way::kRing, Way::kWorker};

ProfileInfo describe() {
  return {
      .name = "held-append",
      .title = "appends beside one that is held open",
      .description =
          "An append is held open at a page of its source (userfaultfd), and a second one is made to the same file: "
          "with write(2), with pwritev2(RWF_APPEND) and through io_uring, with IOSQE_ASYNC and without, in turn. Every "
          "second held one goes through a worker of io_uring.",
      .role = "detector",
      .oracle =
          "Each acknowledged append stands in the file once and in one piece (open(2): O_APPEND is a single atomic "
          "step).",
      .exposure = "The first append was held open when the second one was made, and until it waited or had ended.",
      .needs_io_uring = false,
      .options = {{"write_min_bytes", "smallest held append", "bytes", 8192, 8 << 20, 48 << 10},
                  {"write_max_bytes", "largest held append", "bytes", 16384, 16 << 20, 192 << 10},
                  {"file_bytes", "a file ends when it has reached this", "bytes", 64 << 10, 256 << 20, 4 << 20},
                  {"files", "files to fill; 0: until another limit", "count", 0, 100'000, 3}},
      .references = {"open(2), O_APPEND"},
  };
}

// One append on a ring of its own, by a worker if `worker`: an inline attempt may stop part-way, which is another
// story.
std::int64_t append_by_ring(Ring& ring, int fd, std::span<const std::byte> bytes, bool worker) {
  io_uring_sqe* sqe = ring.next_sqe();
  io_uring_prep_write(sqe, fd, bytes.data(), static_cast<unsigned>(bytes.size()), static_cast<std::uint64_t>(-1));
  if (worker) sqe->flags |= IOSQE_ASYNC;
  ring.submit();
  return ring.wait().result;
}

class HeldAppender final : public StreamWriter {
 public:
  HeldAppender(RunContext& context, WithheldMemory& memory)
      : context_(context),
        memory_(memory),
        plan_(derive_seed(context.settings.spec().seed, 1), kSecondMin, kSecondMax),
        held_ring_(Ring::open_if_possible(2, refused_)),
        second_ring_(Ring::open_if_possible(2, refused_)) {}

  // Empty, or why io_uring is left out.
  const std::string& refused() const { return refused_.reason; }

  void begin(const FileIdentity& file) override {
    second_ = context_.workspace.open(file.name, O_WRONLY | O_APPEND);
    plain_ = context_.workspace.open(file.name, O_WRONLY);
    Tag tag = file.tag;
    tag.writer = kSecondWriter;
    pattern_.emplace(tag, file.incompressible);
  }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t) override {
    const std::uint64_t number = context_.meter.counters().writes;
    const auto source = memory_.fill(bytes, 0, derive_seed(context_.settings.spec().seed, number + 2) % bytes.size());
    const bool by_ring = held_ring_ && number % 2 == 1;
    std::vector<std::byte> second(plan_.next_length());
    pattern_->fill_bytes(acknowledged_, second);
    std::optional<Contender> contender;
    const HeldOutcome outcome = hold(
        memory_,
        [&] {
          if (by_ring) return append_by_ring(*held_ring_, file.fd(), source, true);
          const ssize_t returned = retried([&] { return ::write(file.fd(), source.data(), source.size()); });
          return static_cast<std::int64_t>(returned < 0 ? -errno : returned);
        },
        [&] { contender.emplace([&] { return append_second(kSecondWays.at(number % kSecondWays.size()), second); }); });
    log_second(contender->result(), second.size());
    StreamWrite made;
    made.way = CoveredWay::kHeld;
    made.ref.length_bytes = bytes.size();
    made.ref.result = outcome.result;
    made.exposed = outcome.held();
    return made;
  }

  std::uint64_t other_bytes() const override { return acknowledged_; }

  void finish(FileLog& log) override {
    log.writers.push_back(std::move(writes_));
    writes_.clear();
    acknowledged_ = 0;
  }

 private:
  std::int64_t append_second(Way way, std::span<const std::byte> bytes) {
    const bool by_ring = way == Way::kRing || way == Way::kWorker;
    if (by_ring && second_ring_) return append_by_ring(*second_ring_, second_.get(), bytes, way == Way::kWorker);
    if (way == Way::kFlag) {
      const iovec from{const_cast<std::byte*>(bytes.data()), bytes.size()};
      const ssize_t returned = retried([&] { return pwritev2(plain_.get(), &from, 1, 0, RWF_APPEND); });
      if (returned >= 0 || errno != EOPNOTSUPP) return returned < 0 ? -errno : returned;
    }
    const ssize_t returned = retried([&] { return ::write(second_.get(), bytes.data(), bytes.size()); });
    return returned < 0 ? -errno : returned;
  }

  void log_second(std::int64_t result, std::uint64_t length) {
    if (result < 0) throw SystemError("append beside a held append", static_cast<int>(-result));
    writes_.push_back({.index = writes_.size(),
                       .writer = kSecondWriter,
                       .stream_offset_bytes = acknowledged_,
                       .length_bytes = length,
                       .route = Route::kSync,
                       .result = result,
                       .inline_bytes = 0,
                       .at_us = context_.meter.elapsed_us()});
    acknowledged_ += static_cast<std::uint64_t>(result);
  }

  RunContext& context_;
  WithheldMemory& memory_;
  Plan plan_;  // of the second appends
  Unsupported refused_;
  std::unique_ptr<Ring> held_ring_, second_ring_;
  Fd second_, plain_;
  std::optional<Pattern> pattern_;
  std::vector<WriteRef> writes_;
  std::uint64_t acknowledged_ = 0;
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t smallest = context.settings.option("write_min_bytes");
  const std::uint64_t largest = std::max(context.settings.option("write_max_bytes"), smallest + 2 * kWordBytes);
  const auto memory = open_withheld(context.workspace, largest);
  HeldAppender writer(context, *memory);
  if (!writer.refused().empty()) context.note = "without io_uring: " + writer.refused();
  run_stream(context,
             {.write_min = smallest,
              .write_max = largest,
              .file_bytes = context.settings.option("file_bytes"),
              .open_flags = O_APPEND,
              .continue_short = true,
              .files_max = context.settings.option("files")},
             writer);
  context.exposure_hint = explain_missing_holds(*memory, "the appends ended without having come to the withheld page");
  return std::nullopt;
}

}  // namespace

extern const Profile kHeldAppend;
const Profile kHeldAppend{describe, run, false};

}  // namespace writecanary::probe
