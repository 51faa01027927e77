// append-sync: the control with an ordinary system call. A blocking append that meets the memory limit reclaims in the
// middle of the write and goes on; there is nothing to retry.
#include <fcntl.h>
#include <sys/uio.h>

#include <cerrno>

#include "probe/clean_cache.h"
#include "probe/profile.h"
#include "probe/stream.h"
#include "probe/trap_writer.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kCleanCacheBytes = 4ULL << 20;

ProfileInfo describe() {
  return {
      .name = "append-sync",
      .title = "blocking append",
      .description = "One writer appends with pwritev2() without RWF_NOWAIT, with less memory than the write needs.",
      .role = "control",
      .oracle = "The file holds every acknowledged byte once, in order, and its size is the sum of the results.",
      .exposure = "The write met the memory limit and had to reclaim, on a filesystem that also writes inline.",
      .needs_io_uring = false,
      .options = armed_options(),
      .references = {"pwritev2(2)"},
  };
}

class SyncWriter final : public StreamWriter {
 public:
  SyncWriter(RunContext& context, bool meaningful)
      : context_(context),
        cache_(context.workspace(), kCleanCacheBytes),
        headroom_(context.option("headroom_bytes")),
        meaningful_(meaningful) {}

  void prepare() override { cache_.refill(); }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t) override {
    const iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};  // writev's type; it only reads
    const std::uint64_t hits_before = limit_hits();
    context_.pressure().tighten(headroom_);
    const ssize_t returned = pwritev2(file.fd(), &vector, 1, -1, 0);
    const int error = errno;
    context_.pressure().relieve();
    StreamWrite made;
    made.ref.length_bytes = bytes.size();
    made.ref.route = Route::kSync;
    made.ref.result = returned < 0 ? -error : returned;
    made.exposed = meaningful_ && returned > 0 && limit_hits() > hits_before;
    return made;
  }

 private:
  std::uint64_t limit_hits() const {
    RunCounters counters;
    context_.pressure().read_events(counters);
    return counters.limit_hits;
  }

  RunContext& context_;
  CleanCache cache_;
  std::uint64_t headroom_;
  bool meaningful_;
};

std::optional<Unsupported> run(RunContext& context) {
  const bool meaningful = writes_inline(context);
  SyncWriter writer(context, meaningful);
  run_stream(context, armed_shape(context, O_APPEND), writer);
  if (meaningful) context.exposure_hint = "the writes did not meet the memory limit";
  return std::nullopt;
}

}  // namespace

extern const Profile kAppendSync;
const Profile kAppendSync{describe, run};

}  // namespace writecanary::probe
