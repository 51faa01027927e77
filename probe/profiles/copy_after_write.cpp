// copy-after-write: a file with holes is copied the moment it was written, while its pages are still dirty.
//
// cp(1) asks the filesystem where data is (SEEK_DATA), or has the kernel copy (copy_file_range, FICLONE). All three
// must know of data that is only in the page cache yet. OpenZFS did not always: copies came out with holes in them.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kBufferBytes = 128UL << 10;

ProfileInfo describe() {
  return {
      .name = "copy-after-write",
      .title = "copies of what was just written",
      .description =
          "A sparse file is written and copied at once: where SEEK_DATA finds data, with copy_file_range(2), or with "
          "FICLONE.",
      .role = "detector",
      .oracle = "Copy and source are what was written, holes as zeros, in the page cache and on storage.",
      .exposure =
          "The source had dirty pages when the copy began, as cachestat(2) tells; before Linux 6.5, which has no such "
          "call, each copy counts.",
      .needs_io_uring = false,
      .options = {{"file_bytes", "size of a source", "bytes", 64 << 10, 8 << 20, 512 << 10},
                  {"write_max_bytes", "largest write, and largest hole", "bytes", 4096, 1 << 20, 64 << 10},
                  {"copies", "copies to make; 0: until another limit", "count", 0, 100'000, 90}},
      .references = {"https://github.com/openzfs/zfs/issues/15526 (a copy of a file has holes; 2.1.14, 2.2.2)",
                     "https://github.com/openzfs/zfs/issues/15933", "copy_file_range(2)", "lseek(2), SEEK_DATA"},
  };
}

// cachestat(2), 6.5; the C library does not know it yet.
bool has_dirty_pages(int fd) {
  constexpr long kCachestat = 451;
  struct {
    std::uint64_t offset = 0, length = 0;  // length 0: to the end
  } range;
  struct {
    std::uint64_t cached = 0, dirty = 0, writeback = 0, evicted = 0, recently_evicted = 0;
  } pages;
  if (syscall(kCachestat, fd, &range, &pages, 0) != 0) return true;
  return pages.dirty + pages.writeback != 0;
}

// Each returns 0 or the errno with which the filesystem refuses such copies; throws SystemError for any other failure.
using CopyMethod = int (*)(int from, int to, std::uint64_t size);

bool refuses(int error_number) {
  constexpr std::array kRefusals = {EOPNOTSUPP, ENOSYS, EINVAL, ENOTTY, EXDEV};
  return std::ranges::find(kRefusals, error_number) != kRefusals.end();
}

void copy_range(int from, int to, off_t begin, off_t end) {
  std::vector<char> buffer(kBufferBytes);
  while (begin < end) {
    const auto want = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - begin));
    const ssize_t got = pread(from, buffer.data(), want, begin);
    if (got < 0) throw_errno("read the source");
    if (got == 0) return;  // shorter than it was: the comparison says it
    const ssize_t put = pwrite(to, buffer.data(), static_cast<std::size_t>(got), begin);
    if (put < 0) throw_errno("write the copy");
    begin += put;
  }
}

int copy_where_data_is(int from, int to, std::uint64_t size) {
  for (off_t data = 0; (data = lseek(from, data, SEEK_DATA)) >= 0;) {
    const off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) throw_errno("seek the next hole of the source");
    copy_range(from, to, data, hole);
    data = hole;
  }
  if (errno != ENXIO) return refuses(errno) ? errno : (throw_errno("seek the next data of the source"), 0);
  if (ftruncate(to, static_cast<off_t>(size)) != 0) throw_errno("truncate the copy");
  return 0;
}

int copy_in_kernel(int from, int to, std::uint64_t size) {
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t copied = copy_file_range(from, nullptr, to, nullptr, size - done, 0);
    if (copied < 0 && done == 0 && refuses(errno)) return errno;
    if (copied < 0) throw_errno("copy_file_range");
    if (copied == 0) break;  // it met an end that is not there: the comparison says it
    done += static_cast<std::uint64_t>(copied);
  }
  return 0;
}

int clone(int from, int to, std::uint64_t) {
  if (ioctl(to, FICLONE, from) == 0) return 0;
  return refuses(errno) ? errno : (throw_errno("FICLONE"), 0);
}

struct Method {
  const char* name;
  CopyMethod copy;
};
constexpr std::array<Method, 3> kMethods = {
    {{"SEEK_DATA", copy_where_data_is}, {"copy_file_range", copy_in_kernel}, {"FICLONE", clone}}};

class CopyRound {
 public:
  explicit CopyRound(RunContext& context)
      : context_(context),
        identity_(context.next_file()),
        source_(context.workspace, identity_.name, 0),
        image_(context.settings.option("file_bytes")) {}

  // Returns what the method returned.
  int run(const Method& method) {
    write_source();
    const RunFile copy(context_.workspace, source_.name() + "-copy", 0);
    const bool dirty = has_dirty_pages(source_.fd());
    if (lseek(source_.fd(), 0, SEEK_SET) != 0) throw_errno("seek " + source_.name());
    const int refused = method.copy(source_.fd(), copy.fd(), image_.size());
    if (refused != 0) return refused;
    if (dirty) context_.meter.expose(1);
    judge(copy);
    judge(source_);
    return 0;
  }

 private:
  // Pieces with holes between them. The size comes first: XFS writes a file back before it grows it by truncation.
  void write_source() {
    if (ftruncate(source_.fd(), static_cast<off_t>(image_.size())) != 0) throw_errno("truncate " + source_.name());
    Plan lengths(identity_.seed, kWordBytes, context_.settings.option("write_max_bytes"));
    const Pattern pattern(identity_.tag, identity_.incompressible);
    for (std::uint64_t offset = lengths.next_length(); offset < image_.size();) {
      const auto piece = std::span(image_).subspan(offset, std::min(lengths.next_length(), image_.size() - offset));
      pattern.fill_bytes(offset, piece);
      write_counted(context_.meter, source_.fd(), source_.name(), offset, piece);
      offset += piece.size();
      if (derive_seed(identity_.seed, offset) % 2 == 0) offset += lengths.next_length();
    }
  }

  void judge(const RunFile& file) {
    judge_content(context_.findings, {.fd = file.fd(),
                                      .name = file.name(),
                                      .size_bytes = image_.size(),
                                      .expected = bytes_of(image_),
                                      .run_tag = identity_.tag.run,
                                      .incompressible = identity_.incompressible});
  }

  RunContext& context_;
  FileIdentity identity_;
  RunFile source_;
  std::vector<std::byte> image_;  // source and copy as they must be
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t copies = context.settings.option("copies");
  std::vector<Method> methods(kMethods.begin(), kMethods.end());
  for (std::uint64_t made = 0; context.limits.may_continue() && (copies == 0 || made < copies); ++made) {
    const auto method = methods.begin() + static_cast<std::ptrdiff_t>(made % methods.size());
    const int refused = CopyRound(context).run(*method);
    if (refused == 0) continue;
    if (!context.note.empty()) context.note += ", ";
    context.note += fmt::format("without {}, which is refused here: {}", method->name, error_text(refused));
    methods.erase(method);
    if (methods.empty()) return Unsupported{context.note};
  }
  context.exposure_hint =
      "the sources had no dirty pages when they were copied: this filesystem has nothing to write back";
  return std::nullopt;
}

}  // namespace

extern const Profile kCopyAfterWrite;
const Profile kCopyAfterWrite{describe, run, false, false};

}  // namespace writecanary::probe
