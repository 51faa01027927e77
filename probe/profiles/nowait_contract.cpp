// nowait-contract: the same kernel path without io_uring, judged call by call.
//
// pwritev2(RWF_NOWAIT) on an O_APPEND file with one writer must grow the file by what it returns. Affected kernels
// return -EAGAIN, or less, although the file grew; fixed ones return an honest short count under the same pressure.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/trap/arming.h"
#include "probe/verify/nowait_check.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "nowait-contract",
      .title = "RWF_NOWAIT contract",
      .description =
          "One writer appends with pwritev2(RWF_NOWAIT), armed and with less memory than the write needs. "
          "Needs no io_uring.",
      .role = "detector",
      .oracle =
          "After each call the file has grown by exactly the bytes that the call returned (0 for an error); and "
          "it holds every acknowledged byte once, in order.",
      .exposure = "The call stopped part-way: it returned a short count, or the file grew by less than was asked for.",
      .needs_io_uring = false,
      .options = armed_options(),
      .references = {"pwritev2(2), RWF_NOWAIT", "https://git.kernel.org/linus/1a1a3b574b97"},
  };
}

ssize_t append_nowait(int fd, std::span<const std::byte> bytes) {
  const iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};  // writev's type; it only reads
  return retried([&] { return pwritev2(fd, &vector, 1, -1, RWF_NOWAIT); });
}

class NowaitWriter final : public StreamWriter {
 public:
  explicit NowaitWriter(RunContext& context)
      : context_(context), pacer_(context.workspace.directory() + "/pacer"), headroom_(armed_sizes(context).headroom) {}

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t offset_bytes) override {
    pacer_.settle();
    context_.pressure.tighten(headroom_);
    const Call call = append_armed(file, bytes, offset_bytes);
    context_.pressure.relieve();

    StreamWrite made;
    made.way = CoveredWay::kNowait;
    made.ref.length_bytes = bytes.size();
    made.ref.route = Route::kInline;
    made.ref.result = call.returned < 0 ? -call.error : call.returned;
    const auto reported = static_cast<std::uint64_t>(std::max<ssize_t>(call.returned, 0));
    const std::uint64_t grown = call.size_after - offset_bytes;
    made.ref.inline_bytes = grown < bytes.size() ? grown : 0;
    made.ref.disarmed = grown == 0 && !call.in_time;
    made.exposed = grown > 0 && std::min(grown, reported) < bytes.size();
    WriteRef called = made.ref;
    called.index = context_.meter.counters().writes;
    called.stream_offset_bytes = offset_bytes;
    if (auto finding = check_nowait(called, offset_bytes, call.size_after, context_.workspace.page_bytes())) {
      finding->file = file.name();
      context_.findings.report(*finding);
      // Takes the unreported bytes off again, so that the next call is judged for itself.
      if (retried([&] { return ftruncate(file.fd(), static_cast<off_t>(offset_bytes + reported)); }) != 0) {
        throw_errno("truncate " + file.name());
      }
    }
    return made;
  }

 private:
  struct Call {
    ssize_t returned;
    int error;  // errno, when returned < 0
    std::uint64_t size_after;
    bool in_time;  // the trap was still armed when the call came back
  };

  // A call that returned EAGAIN and left the file as it was has shown nothing and changed nothing: most often a timer
  // tick came in between, now and then a flusher held the inode. It is made again, a few times.
  Call append_armed(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t size_before) {
    for (int attempt = 1;; ++attempt) {
      const Arming arming = arm(file.fd());
      Call call{append_nowait(file.fd(), bytes), 0, 0, false};
      call.error = call.returned < 0 ? errno : 0;
      call.in_time = arming.holds();
      call.size_after = file.size_bytes();
      const bool refused = call.error == EAGAIN && call.size_after == size_before;
      if (!refused || attempt == kAttempts) return call;
    }
  }

  static constexpr int kAttempts = 3;

  RunContext& context_;
  Pacer pacer_;
  std::uint64_t headroom_;
};

std::optional<Unsupported> refused_here(RunContext& context) {
  const RunFile scratch(context.workspace, "scratch", O_APPEND);
  const std::byte byte{1};
  if (append_nowait(scratch.fd(), {&byte, 1}) >= 0 || errno == EAGAIN) return std::nullopt;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) throw_errno("pwritev2(RWF_NOWAIT)");
  return Unsupported{
      fmt::format("pwritev2(RWF_NOWAIT) on {}: {}: this filesystem makes no non-blocking buffered writes",
                  context.workspace.filesystem().type, error_text(errno))};
}

std::optional<Unsupported> run(RunContext& context) {
  if (auto refused = refused_here(context)) return refused;
  StreamShape shape = armed_shape(context, O_APPEND);
  shape.continue_short = false;
  NowaitWriter writer(context);
  run_stream(context, shape, writer);
  context.exposure_hint =
      context.meter.counters().bytes_written == 0
          ? "every call returned EAGAIN before its first byte (btrfs does so for copy-on-write files)"
          : "the calls completed in full: the memory limit did not stop them";
  return std::nullopt;
}

}  // namespace

extern const Profile kNowaitContract;
const Profile kNowaitContract{describe, run};

}  // namespace writecanary::probe
