#include "probe/stream/blocking_writer.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <cerrno>

#include "core/base/retried.h"
#include "probe/run/clean_cache.h"
#include "probe/stream/trap_writer.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kCleanCacheBytes = 4ULL << 20;

class BlockingWriter final : public StreamWriter {
 public:
  BlockingWriter(const Workspace& workspace, Pressure& pressure, std::uint64_t headroom, bool meaningful)
      : pressure_(pressure), cache_(workspace, kCleanCacheBytes), headroom_(headroom), meaningful_(meaningful) {}

  void prepare() override { cache_.refill(); }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t) override {
    const iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};  // writev's type; it only reads
    const std::uint64_t hits_before = limit_hits();
    pressure_.tighten(headroom_);
    const ssize_t returned = retried([&] { return pwritev2(file.fd(), &vector, 1, -1, 0); });
    const int error = errno;
    pressure_.relieve();
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
    pressure_.read_events(counters);
    return counters.limit_hits;
  }

  Pressure& pressure_;
  CleanCache cache_;
  std::uint64_t headroom_;
  bool meaningful_;
};

}  // namespace

std::optional<Unsupported> run_blocking(RunContext& context) {
  const bool meaningful = writes_inline(context);
  BlockingWriter writer(context.workspace, context.pressure, armed_sizes(context).headroom, meaningful);
  run_stream(context, armed_shape(context, O_APPEND), writer);
  if (meaningful) context.exposure_hint = "the writes did not meet the memory limit";
  return std::nullopt;
}

}  // namespace writecanary::probe
