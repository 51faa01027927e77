// shared-blocks: several writers fill one file with small adjacent ranges, so that each block has bytes of several,
// while the file is written back and dropped from the page cache under them.
//
// A write of part of a block must know what the rest of the block holds. A kernel that asks before writeback and acts
// after it (a stale mapping) takes the block for a hole and puts zeros where a neighbour's bytes already were.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <future>
#include <vector>

#include "core/base/error.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kPasses = 8;  // over a file; a block is written to in several, with writeback in between
constexpr timespec kPause{0, 20'000};

ProfileInfo describe() {
  return {
      .name = "shared-blocks",
      .title = "writers that share blocks",
      .description =
          "Threads write adjacent ranges, none of them block-aligned, into sparse and preallocated files, while "
          "another "
          "writes the file back and evicts it.",
      .role = "detector",
      .oracle = "Every byte has one owner and is what its owner wrote; what nobody wrote is zero.",
      .exposure = "A range that shares a block with a neighbour's was written while writeback or eviction ran.",
      .needs_io_uring = false,
      .options = {{"writers", "threads that write", "count", 2, kWritersMax, 3},
                  {"range_max_bytes", "largest range", "bytes", 64, 64 << 10, 2000},
                  {"file_bytes", "size of a file", "bytes", 64 << 10, 4 << 20, 1 << 20},
                  {"files", "files to fill; 0: until another limit", "count", 0, 100'000, 10}},
      .references = {"https://git.kernel.org/linus/d7b64041164c (iomap: write iomap validity checks, 6.2)",
                     "https://git.kernel.org/linus/304a68b9c63b (xfs: use iomap_valid method to detect stale cached "
                     "iomaps, 6.2)"},
  };
}

struct Range {
  std::uint64_t offset = 0, length = 0;
  std::uint64_t pass = 0;
  bool written = false;  // by its owner alone, read when that has ended
  bool exposed = false;
};

class RangesRound {
 public:
  explicit RangesRound(RunContext& context)
      : context_(context),
        identity_(context.next_file()),
        file_(context.workspace, identity_.name, 0),
        image_(context.settings.option("file_bytes")),
        ranges_(context.settings.option("writers")) {
    plan_ranges();
    if (ftruncate(file_.fd(), static_cast<off_t>(image_.size())) != 0) throw_errno("truncate " + file_.name());
    // Every second file has unwritten extents instead of holes; a filesystem that has none makes it sparse too.
    if (identity_.tag.file % 2 == 0) fallocate(file_.fd(), 0, 0, static_cast<off_t>(image_.size()));
  }

  void run() {
    std::vector<std::future<void>> writers;
    const Ender ender{stop_};
    for (std::vector<Range>& own : ranges_) {
      writers.push_back(std::async(std::launch::async, [this, &own] { write(own); }));
    }
    const auto ended = [](const std::future<void>& writer) {
      return writer.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
    };
    while (!std::ranges::all_of(writers, ended)) {
      if (!context_.limits.may_continue()) stop_ = true;
      flush();
    }
    for (auto& writer : writers) writer.get();
    judge();
  }

 private:
  struct Ender {
    std::atomic<bool>& stop;
    ~Ender() { stop = true; }
  };

  // Each writer's ranges, and what all of them together make of the file.
  void plan_ranges() {
    Plan lengths(identity_.seed, kWordBytes, context_.settings.option("range_max_bytes"));
    std::uint64_t offset = 0;
    for (std::uint64_t number = 0; offset < image_.size(); ++number) {
      const std::uint64_t length = std::min(lengths.next_length(), image_.size() - offset);
      const std::uint64_t owner = number % ranges_.size();
      Tag tag = identity_.tag;
      tag.writer = static_cast<std::uint8_t>(owner);
      Pattern(tag, identity_.incompressible).fill_bytes(offset, std::span(image_).subspan(offset, length));
      ranges_[owner].push_back({offset, length, derive_seed(identity_.seed, number) % kPasses});
      offset += length;
    }
  }

  void write(std::vector<Range>& own) {
    for (std::uint64_t pass = 0; pass < kPasses; ++pass) {
      const std::uint64_t seen = flushes_;
      for (Range& range : own) {
        if (stop_) return;
        if (range.pass == pass) write(range);
      }
      while (flushes_ < seen + 2 && !stop_) nanosleep(&kPause, nullptr);
    }
  }

  void write(Range& range) {
    const std::uint64_t before = flushes_;
    for (std::uint64_t done = 0; done < range.length;) {
      const ssize_t returned = pwrite(file_.fd(), image_.data() + range.offset + done, range.length - done,
                                      static_cast<off_t>(range.offset + done));
      if (returned < 0) throw_errno("write to " + file_.name());
      done += static_cast<std::uint64_t>(returned);
    }
    const std::uint64_t block = context_.workspace.page_bytes();
    const bool shares = range.offset % block != 0 || (range.offset + range.length) % block != 0;
    range.written = true;
    range.exposed = shares && (before % 2 == 1 || flushes_ != before);
  }

  // One of the ways in which a file is written back; flushes_ is odd meanwhile.
  void flush() {
    const std::uint64_t number = flushes_.fetch_add(1) / 2;
    if (number % 3 == 0) {
      sync_file_range(file_.fd(), 0, 0, SYNC_FILE_RANGE_WRITE);  // an error comes back from fdatasync
    } else if (number % 3 == 1) {
      sync_file_range(file_.fd(), 0, 0,
                      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
      posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_DONTNEED);
    } else {
      evict(file_.fd(), file_.name());
    }
    flushes_.fetch_add(1);
  }

  void judge() {
    for (std::size_t owner = 0; owner < ranges_.size(); ++owner) {
      for (std::size_t i = 0; i < ranges_[owner].size(); ++i) {
        const Range& range = ranges_[owner][i];
        if (!range.written) {
          std::fill_n(image_.begin() + static_cast<std::ptrdiff_t>(range.offset), range.length, std::byte{0});
          continue;
        }
        WriteRef write;
        write.length_bytes = range.length;
        write.result = static_cast<std::int64_t>(range.length);
        context_.meter.count(write, range.exposed);
      }
    }
    judge_content(context_.findings, {.fd = file_.fd(),
                                      .name = file_.name(),
                                      .size_bytes = image_.size(),
                                      .expected = bytes_of(image_),
                                      .run_tag = identity_.tag.run,
                                      .incompressible = identity_.incompressible});
  }

  RunContext& context_;
  FileIdentity identity_;
  RunFile file_;
  std::vector<std::byte> image_;            // the whole file as it must be; constant while writers run
  std::vector<std::vector<Range>> ranges_;  // per writer
  std::atomic<std::uint64_t> flushes_{0};   // begun and ended ones
  std::atomic<bool> stop_{false};
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made)
    RangesRound(context).run();
  context.exposure_hint = "the writes fell between the flushes; give it more files";
  return std::nullopt;
}

}  // namespace

extern const Profile kSharedBlocks;
const Profile kSharedBlocks{describe, run, false};

}  // namespace writecanary::probe
