// collapse: a file is written and closed, its page cache made into one huge page for a read-only mapping, and the file
// opened for writing again.
//
// Filesystems that cannot write to huge pages have them dropped when a file is opened for writing. A kernel that drops
// them with data that was never written back loses it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

constexpr int kMadvCollapse = 25;                 // MADV_COLLAPSE (asm-generic/mman-common.h, 6.1)
constexpr std::uint64_t kHugeBytes = 2ULL << 20;  // of x86-64 and of arm64 with 4 KiB pages
constexpr int kTries = 3;  // EAGAIN: a page was busy or dirty; the kernel has begun to write it back

ProfileInfo describe() {
  return {
      .name = "collapse",
      .title = "huge pages in the page cache",
      .description =
          "A file is written and closed, mapped read-only and collapsed with MADV_COLLAPSE, opened for writing again "
          "and "
          "written to.",
      .role = "detector",
      .oracle = "The file holds what was written before and after, in the page cache and on storage.",
      .exposure = "MADV_COLLAPSE succeeded.",
      .needs_io_uring = false,
      .options = {{"huge_pages", "size of a file, in huge pages of 2 MiB", "count", 1, 8, 1},
                  {"files", "files; 0: until another limit", "count", 0, 100'000, 32}},
      .references = {"https://git.kernel.org/linus/99cb0dbd47a1 (mm,thp: add read-only THP support for (non-shmem) FS, "
                     "5.4)",
                     "https://git.kernel.org/linus/3efcc3729f72 (mm/khugepaged: write all dirty file folios when "
                     "collapsing)",
                     "madvise(2), MADV_COLLAPSE"},
  };
}

// A place of the address space that begins at a multiple of the huge page; unmapped by the destructor.
class AlignedPlace {
 public:
  explicit AlignedPlace(std::uint64_t bytes) : bytes_(bytes + kHugeBytes) {
    memory_ = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) throw_errno("reserve address space");
  }
  ~AlignedPlace() { munmap(memory_, bytes_); }
  AlignedPlace(const AlignedPlace&) = delete;
  AlignedPlace& operator=(const AlignedPlace&) = delete;

  // Maps the file's beginning there, read-only and executable, as programs and libraries are. Throws SystemError.
  void* map(int fd, std::uint64_t bytes) const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_);
    auto* place = static_cast<std::byte*>(memory_) + (kHugeBytes - address % kHugeBytes) % kHugeBytes;
    void* mapping = mmap(place, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
    if (mapping == MAP_FAILED && (errno == EPERM || errno == EACCES)) {  // mounted noexec
      mapping = mmap(place, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    }
    if (mapping == MAP_FAILED) throw_errno("map the file");
    return mapping;
  }

 private:
  std::uint64_t bytes_;
  void* memory_;
};

// The errno of the last try, 0 for success.
int collapse(int fd, std::uint64_t bytes) {
  const AlignedPlace place(bytes);
  void* mapping = place.map(fd, bytes);
  for (int tries = 0; tries < kTries; ++tries) {
    if (madvise(mapping, bytes, kMadvCollapse) == 0) return 0;
    if (errno != EAGAIN && errno != EBUSY) break;
  }
  return errno;
}

class CollapseRound {
 public:
  explicit CollapseRound(RunContext& context)
      : context_(context),
        identity_(context.next_file()),
        image_(context.settings.option("huge_pages") * kHugeBytes / kWordBytes) {}

  // Returns the errno of the collapse.
  int run() {
    Pattern(identity_.tag, identity_.incompressible).fill(0, image_);
    // Written and closed, with its pages still dirty.
    write(context_.workspace.create(identity_.name, 0), 0, bytes());
    const int refused = collapse(context_.workspace.open(identity_.name, O_RDONLY).get(), bytes().size());
    if (refused == 0) context_.meter.expose(1);
    const Fd fd = context_.workspace.open(identity_.name, O_RDWR);
    overwrite(fd);
    judge_content(context_.findings, {.fd = fd.get(),
                                      .name = identity_.name,
                                      .size_bytes = bytes().size(),
                                      .expected = bytes_of(bytes()),
                                      .run_tag = identity_.tag.run,
                                      .incompressible = identity_.incompressible});
    context_.workspace.remove(identity_.name);
    return refused;
  }

 private:
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(image_)); }

  // A few words in the middle, so that the file is not only opened for writing.
  void overwrite(const Fd& fd) {
    Tag tag = identity_.tag;
    tag.writer = 1;
    const std::uint64_t word = derive_seed(identity_.seed, 0) % (image_.size() - 64);
    const auto piece = std::span(image_).subspan(word, 64);
    Pattern(tag, identity_.incompressible).fill(word * kWordBytes, piece);
    write(fd, word * kWordBytes, std::as_bytes(piece));
  }

  void write(const Fd& fd, std::uint64_t offset, std::span<const std::byte> data) {
    write_counted(context_.meter, fd.get(), identity_.name, offset, data);
  }

  RunContext& context_;
  FileIdentity identity_;
  std::vector<std::uint64_t> image_;  // the file as it must be
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made) {
    const int refused = CollapseRound(context).run();
    if (refused == 0) continue;
    const std::string what =
        fmt::format("MADV_COLLAPSE of a file on {}: {}", context.workspace.filesystem().type, error_text(refused));
    if (refused == EINVAL || refused == ENOSYS || refused == EOPNOTSUPP) {
      return Unsupported{what +
                         ": this kernel makes no huge pages of such files (CONFIG_READ_ONLY_THP_FOR_FS), or is "
                         "older than 6.1"};
    }
    context.exposure_hint = what;
  }
  return std::nullopt;
}

}  // namespace

extern const Profile kCollapse;
const Profile kCollapse{describe, run, false, false};

}  // namespace writecanary::probe
