#include "probe/stream/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

// A write that got no memory, or that a signal interrupted, is tried again; so often without any success is a fault of
// the set-up.
constexpr int kRetriesMax = 100;
constexpr std::uint64_t kWritesPerFile = 10;

class StreamFile {
 public:
  StreamFile(RunContext& context, const StreamShape& shape, StreamWriter& writer, std::span<std::uint64_t> buffer)
      : context_(context),
        shape_(shape),
        writer_(writer),
        buffer_(buffer),
        identity_(context.next_file()),
        file_(context.workspace, identity_.name, shape.open_flags),
        pattern_(identity_.tag, identity_.incompressible),
        plan_(identity_.seed, shape.write_min, shape.write_max),
        log_{identity_.name, identity_.tag, identity_.incompressible, {{}}} {}

  // Fills the file, then judges it. Throws what a write failed with, after judging.
  void run() {
    writer_.begin(identity_);
    // Until something was found, a file whose size is wrong is looked at immediately; later ones are filled.
    while (acknowledged_ < shape_.file_bytes && failed_ == 0 && context_.limits.may_continue()) {
      append(plan_.next_length());
      if (context_.meter.tally().total() == 0 && file_.size_bytes() != acknowledged_ + writer_.other_bytes()) break;
    }
    writer_.finish(log_);
    context_.file_judge.judge(file_.fd(), log_);
    if (failed_ != 0) throw SystemError(fmt::format("write to {} at {}", file_.name(), acknowledged_), failed_);
  }

 private:
  void append(std::uint64_t length) {
    writer_.prepare();
    const auto words = buffer_.first(length / sizeof(std::uint64_t));
    pattern_.fill(acknowledged_, words);
    auto rest = std::as_bytes(words);
    for (int retries = 0; !rest.empty() && failed_ == 0 && retries < kRetriesMax; ++retries) {
      StreamWrite write = writer_.write(file_, rest, acknowledged_);
      write.ref.index = log_.writers[0].size();
      write.ref.stream_offset_bytes = acknowledged_;
      write.ref.at_us = context_.meter.elapsed_us();
      log_.writers[0].push_back(write.ref);
      context_.meter.count(write.ref, write.exposed);
      const bool appends = (shape_.open_flags & O_APPEND) != 0;
      context_.meter.cover(appends ? CoveredOperation::kAppend : CoveredOperation::kWrite, write.way,
                           {CoveredState::kBeyondEnd});
      const std::int64_t result = write.ref.result;
      if (result > 0) {
        acknowledged_ += static_cast<std::uint64_t>(result);
        rest = rest.subspan(static_cast<std::size_t>(result));
        if (!shape_.continue_short) return;
      } else if (result == -EAGAIN) {
        return;
      } else if ((result != -ENOMEM && result != -EINTR) || retries + 1 == kRetriesMax) {
        failed_ = result == 0 ? EIO : static_cast<int>(-result);
      }
      if (!context_.limits.may_continue()) return;
    }
  }

  RunContext& context_;
  const StreamShape& shape_;
  StreamWriter& writer_;
  std::span<std::uint64_t> buffer_;
  FileIdentity identity_;
  RunFile file_;
  Pattern pattern_;
  Plan plan_;
  FileLog log_;
  std::uint64_t acknowledged_ = 0;
  int failed_ = 0;
};

}  // namespace

void run_stream(RunContext& context, const StreamShape& shape, StreamWriter& writer) {
  // Filled once here, so that no page of it is charged between tighten() and relieve().
  std::vector<std::uint64_t> buffer(shape.write_max / sizeof(std::uint64_t) + 1, 1);
  for (std::uint64_t files = 0; context.limits.may_continue() && (shape.files_max == 0 || files < shape.files_max);
       ++files) {
    StreamFile(context, shape, writer, buffer).run();
  }
}

ArmedSizes armed_sizes(const RunContext& context) {
  const HeadroomPlan plan = headroom_plan(context.workspace.page_bytes(), context.workspace.block_bytes());
  const auto chosen = [&](const char* name, std::uint64_t value) {
    return context.settings.is_given(name) ? context.settings.option(name) : value;
  };
  const std::uint64_t smallest = chosen("write_min_bytes", plan.write_min);
  // One of them alone may be given.
  const std::uint64_t largest =
      std::max(chosen("write_max_bytes", plan.write_max), smallest + 2 * sizeof(std::uint64_t));
  return {chosen("headroom_bytes", plan.headroom), smallest, largest,
          chosen("file_bytes", kWritesPerFile * plan.write_max)};
}

StreamShape armed_shape(const RunContext& context, int open_flags) {
  const ArmedSizes sizes = armed_sizes(context);
  return {sizes.write_min, sizes.write_max, sizes.file_bytes, open_flags, true, 0};
}

std::vector<ProfileOption> armed_options() {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const HeadroomPlan plan = headroom_plan(page, page);
  constexpr std::int64_t kMax = 24LL << 20;
  const auto bytes = [](std::string name, std::string description, std::uint64_t minimum, std::uint64_t value) {
    return ProfileOption{std::move(name),
                         std::move(description),
                         "bytes",
                         static_cast<std::int64_t>(minimum),
                         kMax,
                         static_cast<std::int64_t>(value)};
  };
  return {bytes("write_min_bytes",
                "smallest write; must exceed the headroom by a charge batch of 64 pages. Where blocks are "
                "larger than pages, this and the next three grow with them unless they are given",
                page / 4, plan.write_min),
          bytes("write_max_bytes", "largest write", page / 2, plan.write_max),
          bytes("headroom_bytes", "what the cgroup may still charge when a write begins; 0 leaves the limit alone", 0,
                plan.headroom),
          bytes("file_bytes", "a file is verified and removed when it has reached this", page,
                kWritesPerFile * plan.write_max)};
}

}  // namespace writecanary::probe
