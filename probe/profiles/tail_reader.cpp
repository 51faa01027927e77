// tail-reader: one appender and readers that follow it, as log shippers do.
//
// The size that fstat() shows is a promise: every byte below it was written. A kernel that publishes the size before
// the data, or a page before it is filled, lets a reader see zeros there for a moment. Nobody finds them later. Readers
// ask for more than that size, as those do that do not know it: what such a read returns is a promise as well.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <future>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/retried.h"
#include "probe/pattern/pattern.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kLookBytes = 64ULL << 10;  // how far behind the end a reader looks
// What a reader asks for behind the size that it saw, in turn: within a word, a page, several.
constexpr std::array<std::uint64_t, 4> kBehindBytes = {5, 4096, 40'000, 0};
constexpr std::uint64_t kBehindBytesMax = 40'000;
constexpr std::uint64_t kAppendsBetween = 16;  // two moments at which the appender lets a reader catch up
constexpr timespec kWait{0, 50'000};
constexpr int kWaitsMax = 1000;             // a reader that failed does not catch up
constexpr std::size_t kWrongLooksMax = 16;  // per reader and file; more tell nothing new

ProfileInfo describe() {
  return {
      .name = "tail-reader",
      .title = "reading behind an appender",
      .description =
          "One thread appends with write(2); others ask for the size and read up to it and beyond, with pread(2), or "
          "up to it through a mapping.",
      .role = "detector",
      .oracle =
          "Nothing below the size that a reader saw, and nothing that a read returned, is other than what was written; "
          "no read returns what nobody had asked to be written yet. A wrong look is repeated when the "
          "appender has ended: if it is right then, the finding says \"transient\".",
      .exposure = "A reader looked at new bytes while an append was in flight.",
      .needs_io_uring = false,
      .options = {{"readers", "threads that read; every second one through a mapping", "count", 1, 4, 2},
                  {"write_max_bytes", "largest append", "bytes", 4096, 1 << 20, 24 << 10},
                  {"file_bytes", "a file ends when it has reached this", "bytes", 64 << 10, 64 << 20, 4 << 20},
                  {"files", "files to fill; 0: until another limit", "count", 0, 100'000, 32}},
      .references = {"https://git.kernel.org/linus/e2c27b803bb6 (mm/filemap: avoid buffered read/write race to read "
                     "inconsistent data, 6.7)"},
  };
}

// What the appender tells its readers.
struct AppendState {
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> appends{0};  // odd while one is in flight
  std::atomic<std::uint64_t> end{0};      // of all that was ever asked to be written
  std::atomic<std::uint64_t> seen{0};     // a size that a reader has looked at
};

struct TailLooks {
  std::uint64_t exposed = 0;
  std::uint64_t bytes = 0;
  std::vector<Finding> wrong;
};

class Reader {
 public:
  Reader(const Workspace& workspace, const FileIdentity& file, bool mapped)
      : name_(file.name),
        tag_(file.tag),
        incompressible_(file.incompressible),
        mapped_(mapped),
        size_is_the_servers_(workspace.filesystem().type.starts_with("fuse") ||
                             workspace.filesystem().type == "virtiofs"),
        fd_(workspace.open(file.name, O_RDONLY)),
        found_((kLookBytes + kBehindBytesMax) / kWordBytes + 1),
        expected_(found_.size()) {}

  TailLooks follow(AppendState& state) {
    std::uint64_t seen = 0;
    while (!state.done.load(std::memory_order_acquire) && looks_.wrong.size() < kWrongLooksMax) {
      const std::uint64_t before = state.appends.load(std::memory_order_acquire);
      const std::uint64_t size = promised_size();
      if (size == seen) continue;
      look(size, state.end);
      const std::uint64_t after = state.appends.load(std::memory_order_acquire);
      if (before % 2 == 1 || before != after) ++looks_.exposed;
      seen = size;
      state.seen.store(size, std::memory_order_release);
    }
    return std::move(looks_);
  }

 private:
  // The server of a FUSE filesystem tells its own size, also in the middle of a write that the page cache does not
  // count yet (fuse_do_getattr() fills stat(2) with it and leaves the inode alone). What the inode has is what lseek(2)
  // says.
  std::uint64_t promised_size() const {
    if (!size_is_the_servers_) return file_size(fd_.get(), name_);
    const off_t end = lseek(fd_.get(), 0, SEEK_END);
    if (end < 0) throw_errno("seek the end of " + name_);
    return static_cast<std::uint64_t>(end);
  }

  void look(std::uint64_t size, const std::atomic<std::uint64_t>& end) {
    const std::uint64_t begin = (size - std::min(size, kLookBytes - kWordBytes)) / kWordBytes * kWordBytes;
    const std::uint64_t behind = mapped_ ? 0 : kBehindBytes.at(looks_made_++ % kBehindBytes.size());
    const auto found = std::as_writable_bytes(std::span(found_)).first(size - begin + behind);
    const std::size_t returned = mapped_ ? copy_mapped(begin, found) : read(begin, found);
    const std::uint64_t asked = end.load(std::memory_order_acquire);
    const std::size_t got = std::min<std::size_t>(returned, std::max(asked, begin) - begin);
    Pattern(tag_, incompressible_).fill(begin, std::span(expected_).first((got + kWordBytes - 1) / kWordBytes));
    Comparison comparison(name_, tag_.run, incompressible_, kWrongLooksMax);
    comparison.add(begin, found.first(got), std::as_bytes(std::span(expected_)).first(got));
    if (begin + got < size) comparison.add_size(begin + got, size);
    comparison.add_behind_end(begin + got, returned - got);
    looks_.bytes += got;
    for (const Finding& finding : comparison.report().findings) {
      looks_.wrong.push_back(finding);
      looks_.wrong.back().detail +=
          fmt::format(", as {} saw it with a size of {}", mapped_ ? "a mapping" : "pread(2)", size);
    }
  }

  std::size_t read(std::uint64_t begin, std::span<std::byte> out) const {
    return read_at(fd_.get(), name_, begin, out);  // a short result is no end
  }

  // Through the page tables, but by a system call: a page that cannot be had (an I/O error, a size that went back) is
  // an error of the call then, and not the end of the process (SIGBUS). What cannot be read so is read(2).
  std::size_t copy_mapped(std::uint64_t begin, std::span<std::byte> out) {
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const std::uint64_t lead = begin % page;
    const std::size_t length = lead + out.size();
    void* mapping = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd_.get(), static_cast<off_t>(begin - lead));
    if (mapping == MAP_FAILED) return read(begin, out);
    const iovec to{out.data(), out.size()};
    const iovec from{static_cast<std::byte*>(mapping) + lead, out.size()};
    const ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    munmap(mapping, length);
    return got == static_cast<ssize_t>(out.size()) ? out.size() : read(begin, out);
  }

  std::string name_;
  Tag tag_;
  bool incompressible_;
  bool mapped_;
  bool size_is_the_servers_;
  Fd fd_;
  std::vector<std::uint64_t> found_, expected_;
  std::uint64_t looks_made_ = 0;
  TailLooks looks_;
};

// Appends with plain write(2) and lets the readers know when.
class PlainWriter final : public StreamWriter {
 public:
  explicit PlainWriter(RunContext& context) : context_(context) {}

  void begin(const FileIdentity& file) override {
    state_.seen = 0;
    state_.end = 0;
    state_.done.store(false, std::memory_order_release);
    for (std::uint64_t i = 0; i < context_.settings.option("readers"); ++i) {
      Reader reader(context_.workspace, file, i % 2 == 1);
      readers_.push_back(std::async(std::launch::async,
                                    [this, reader = std::move(reader)]() mutable { return reader.follow(state_); }));
    }
  }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t offset_bytes) override {
    if (state_.appends / 2 % kAppendsBetween == 0) wait_for_a_reader(offset_bytes);
    state_.end.store(offset_bytes + bytes.size(), std::memory_order_release);
    state_.appends.fetch_add(1, std::memory_order_acq_rel);
    const ssize_t returned = retried([&] { return ::write(file.fd(), bytes.data(), bytes.size()); });
    const int error = errno;
    state_.appends.fetch_add(1, std::memory_order_acq_rel);
    StreamWrite made;
    made.ref.length_bytes = bytes.size();
    made.ref.result = returned < 0 ? -error : returned;
    return made;
  }

  // The readers end; what they saw wrong and is right now was transient. What is wrong for good, the file's own
  // verification reports.
  void finish(FileLog& log) override {
    state_.done.store(true, std::memory_order_release);
    const Fd fd = context_.workspace.open(log.name, O_RDONLY);
    const Pattern pattern(log.tag, log.incompressible);
    const ContentView view{
        .fd = fd.get(),
        .name = log.name,
        .expected = [&](std::uint64_t offset, std::span<std::byte> out) { pattern.fill_bytes(offset, out); },
        .run_tag = log.tag.run,
        .incompressible = log.incompressible};
    for (auto& reader : readers_) {
      const TailLooks looks = reader.get();
      context_.meter.expose(looks.exposed);
      FileReport report = keep_transient(view, looks.wrong, context_.findings.wanted());
      report.bytes_verified = looks.bytes;
      context_.findings.report(report);
    }
    readers_.clear();
  }

 private:
  // On a busy machine the readers may not run for a while; an appender that is never caught up with proves nothing.
  void wait_for_a_reader(std::uint64_t size) const {
    for (int i = 0; i < kWaitsMax && state_.seen < size; ++i) nanosleep(&kWait, nullptr);
  }

  RunContext& context_;
  AppendState state_;
  std::vector<std::future<TailLooks>> readers_;  // their destructors wait, so the readers must have been told before
  struct Ender {
    std::atomic<bool>& done;
    ~Ender() { done.store(true, std::memory_order_release); }
  } ender_{state_.done};
};

std::optional<Unsupported> run(RunContext& context) {
  PlainWriter writer(context);
  run_stream(context,
             {.write_min = kWordBytes,
              .write_max = context.settings.option("write_max_bytes"),
              .file_bytes = context.settings.option("file_bytes"),
              .open_flags = O_APPEND,
              .continue_short = true,
              .files_max = context.settings.option("files")},
             writer);
  context.exposure_hint = "no reader looked while an append was in flight; give it more files or readers";
  return std::nullopt;
}

}  // namespace

extern const Profile kTailReader;
const Profile kTailReader{describe, run, false, false};

}  // namespace writecanary::probe
