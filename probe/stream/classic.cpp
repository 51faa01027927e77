#include "probe/stream/classic.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <future>
#include <memory>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kWriteMin = 1ULL << 20;
constexpr std::uint64_t kWriteMax = 24ULL << 20;
constexpr std::uint64_t kFileBytes = 48ULL << 20;
constexpr unsigned kRingEntries = 8;

struct ClassicFile {
  ClassicFile(const Workspace& workspace, const FileIdentity& identity)
      : file(workspace, identity.name, O_APPEND),
        log{identity.name, identity.tag, identity.incompressible, {{}}},
        pattern(identity.tag, identity.incompressible),
        plan(identity.seed, kWriteMin, kWriteMax) {}

  RunFile file;
  FileLog log;
  Pattern pattern;
  Plan plan;
  std::uint64_t planned = 0;  // stream bytes whose data was made
  std::uint64_t acknowledged = 0;
};

// Memory for one write. Of large pages where there are any: filling and copying it misses the TLB less.
class WriteBuffer {
 public:
  WriteBuffer() : words_(kLargePage, kWriteMax) { madvise(words().data(), kWriteMax, MADV_HUGEPAGE); }
  std::span<std::uint64_t> words() const { return words_.span(); }

 private:
  static constexpr std::size_t kLargePage = std::size_t{2} << 20;
  AlignedBuffer<std::uint64_t> words_;
};

class Classic {
 public:
  Classic(RunContext& context, Ring& ring) : context_(context), ring_(ring) {}

  void run() {
    while (context_.limits.may_continue()) {
      auto file = std::make_unique<ClassicFile>(context_.workspace, context_.next_file());
      fill_file(*file);
      finish_verification();
      verification_ = std::async(std::launch::async, [this, file = std::move(file)]() mutable {
        Verified verified;
        verified.report = verifier_.verify(file->file.fd(), file->log, context_.findings.wanted(), Access::kMapped);
        verified.file = std::move(file);
        if (verified.report.tally.total() == 0) verified.file.reset();  // freeing its pages takes time, too
        return verified;
      });
    }
    finish_verification();
  }

 private:
  struct Verified {
    FileReport report;
    std::unique_ptr<ClassicFile> file;  // null when all was right
  };

  std::span<std::uint64_t> make_data(ClassicFile& file, const WriteBuffer& buffer) {
    const std::uint64_t length = file.plan.next_length();
    const auto words = buffer.words().first(length / kWordBytes);
    file.pattern.fill(file.planned, words);
    file.planned += length;
    return words;
  }

  void submit(const ClassicFile& file, std::span<const std::byte> bytes) {
    io_uring_prep_write(ring_.next_sqe(), file.file.fd(), bytes.data(), static_cast<unsigned>(bytes.size()),
                        static_cast<std::uint64_t>(-1));
    ring_.submit();
  }

  void fill_file(ClassicFile& file) {
    std::size_t current = 0;
    auto words = make_data(file, buffers_[current]);
    while (!words.empty()) {
      auto rest = std::as_bytes(words);
      submit(file, rest);
      const bool more = file.planned < kFileBytes && context_.limits.may_continue();
      const auto next = more ? make_data(file, buffers_[1 - current]) : std::span<std::uint64_t>();
      while (!rest.empty()) {
        const std::uint64_t done = take_result(file, rest);
        rest = rest.subspan(done);
        if (!rest.empty()) submit(file, rest);
      }
      words = next;
      current = 1 - current;
    }
  }

  std::uint64_t take_result(ClassicFile& file, std::span<const std::byte> bytes) {
    const auto early = ring_.peek();
    WriteRef write;
    write.index = file.log.writers[0].size();
    write.stream_offset_bytes = file.acknowledged;
    write.length_bytes = bytes.size();
    write.route = Route::kRing;
    write.result = (early ? *early : ring_.wait()).result;
    write.at_us = context_.meter.elapsed_us();
    file.log.writers[0].push_back(write);
    context_.meter.count(write, false);
    if (write.result <= 0 && write.result != -ENOMEM && write.result != -EINTR) {
      throw SystemError("append to " + file.file.name(), write.result == 0 ? EIO : static_cast<int>(-write.result));
    }
    const auto done = static_cast<std::uint64_t>(std::max<std::int64_t>(write.result, 0));
    file.acknowledged += done;
    return done;
  }

  void finish_verification() {
    if (!verification_.valid()) return;
    const Verified verified = verification_.get();
    context_.findings.report(verified.report, verified.file ? verified.file->file.fd() : -1,
                             verified.file ? verified.file->log : FileLog{});
  }

  RunContext& context_;
  Ring& ring_;
  Verifier verifier_;  // used by the verification alone
  WriteBuffer buffers_[2];
  std::future<Verified> verification_;
};

}  // namespace

std::optional<Unsupported> run_classic(RunContext& context) {
  Unsupported refused;
  const auto ring = Ring::open(kRingEntries, refused);
  if (!ring) return refused;
  Classic(context, *ring).run();
  context.exposure_hint =
      "the classic workload is not armed, so nothing tells whether a write reached the trigger; run without --classic";
  return std::nullopt;
}

}  // namespace writecanary::probe
