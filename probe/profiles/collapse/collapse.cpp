// collapse: a file is written and closed, its page cache made into one huge page for a read-only mapping, and the file
// opened for writing again.
//
// Filesystems that cannot write to huge pages have them dropped when a file is opened for writing. A kernel that drops
// them with data that was never written back loses it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/retried.h"
#include "probe/pattern/pattern.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/collapse/huge_pages.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

constexpr int kMadvCollapse = 25;                       // MADV_COLLAPSE (asm-generic/mman-common.h, 6.1)
constexpr std::uint64_t kHugeBytesCommon = 2ULL << 20;  // of x86-64, and of arm64 with 4 KiB pages
constexpr std::uint64_t kHolePagesMax = 16;             // at the end of a file
constexpr int kTries = 3;                               // EAGAIN: a page was busy

// The size of a page that one entry of a page directory maps. Where the kernel has no huge pages nothing is collapsed.
std::uint64_t huge_bytes() {
  std::uint64_t bytes = 0;
  try {
    std::istringstream(read_file("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")) >> bytes;
  } catch (const SystemError&) {  // no huge pages here: MADV_COLLAPSE says so
  }
  return bytes != 0 ? bytes : kHugeBytesCommon;
}

ProfileInfo describe() {
  return {
      .name = "collapse",
      .title = "huge pages in the page cache",
      .description =
          "A file, in every second case with a hole at its end, is written and closed, mapped read-only and collapsed "
          "with MADV_COLLAPSE, first with its pages dirty and, where that is refused, after fsync(2); then opened for "
          "writing again and, every second one, written to.",
      .role = "detector",
      .oracle = "The file holds what was written before and after, in the page cache and on storage.",
      .exposure =
          "Pages that were small before MADV_COLLAPSE are huge after it, as /proc/self/smaps tells "
          "(FilePmdMapped, ShmemPmdMapped).",
      .needs_io_uring = false,
      .options = {{"huge_pages", "size of a file, in huge pages (2 MiB on most machines)", "count", 1, 8, 1},
                  {"files", "files; 0: until another limit", "count", 0, 100'000, 32}},
      .references = {"https://git.kernel.org/linus/99cb0dbd47a1 (mm,thp: add read-only THP support for (non-shmem) FS, "
                     "5.4)",
                     "https://git.kernel.org/linus/3efcc3729f72 (mm/khugepaged: write all dirty file folios when "
                     "collapsing)",
                     "madvise(2), MADV_COLLAPSE"},
  };
}

// The file's beginning in the address space, at a multiple of the huge page, read-only and executable, as programs and
// libraries are. Unmapped by the destructor.
class AlignedMapping {
 public:
  // Throws SystemError.
  AlignedMapping(int fd, std::uint64_t bytes, std::uint64_t alignment) : bytes_(bytes), reserved_(bytes + alignment) {
    memory_ = mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) throw_errno("reserve address space");
    const auto address = reinterpret_cast<std::uintptr_t>(memory_);
    begin_ = static_cast<std::byte*>(memory_) + (alignment - address % alignment) % alignment;
    void* mapping = mmap(begin_, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
    if (mapping == MAP_FAILED && (errno == EPERM || errno == EACCES)) {  // mounted noexec
      mapping = mmap(begin_, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    }
    if (mapping != MAP_FAILED) return;
    const int error = errno;
    munmap(memory_, reserved_);
    throw SystemError("map the file", error);
  }
  ~AlignedMapping() { munmap(memory_, reserved_); }
  AlignedMapping(const AlignedMapping&) = delete;
  AlignedMapping& operator=(const AlignedMapping&) = delete;

  // The errno of the last try, 0 for success.
  int collapse() const {
    for (int tries = 0; tries < kTries; ++tries) {
      if (madvise(begin_, bytes_, kMadvCollapse) == 0) return 0;
      if (errno != EAGAIN && errno != EBUSY) break;
    }
    return errno;
  }

  // How much of it is mapped as huge pages when so much of it has been touched. 0 also where the kernel does not tell:
  // what is not known to be huge is not counted.
  std::uint64_t huge(std::uint64_t touched_bytes) const {
    touch(touched_bytes);
    const std::string beginning = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(begin_));
    std::istringstream lines(read_file("/proc/self/smaps"));
    return huge_bytes_of(lines, beginning);
  }

 private:
  // A byte of each page, by a system call: a page that cannot be had is none of our business here.
  void touch(std::uint64_t bytes) const {
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    char byte = 0;
    for (std::uint64_t offset = 0; offset < bytes; offset += page) {
      const iovec to{&byte, 1}, from{begin_ + offset, 1};
      process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    }
  }

  std::uint64_t bytes_, reserved_;
  void* memory_;
  std::byte* begin_ = nullptr;
};

class CollapseRound {
 public:
  explicit CollapseRound(RunContext& context)
      : context_(context),
        identity_(context.next_file()),
        huge_bytes_(huge_bytes()),
        image_(context.settings.option("huge_pages") * huge_bytes_ / kWordBytes) {
    // A write to a huge page can have all of it written back, also what a kernel took for clean.
    writes_again_ = identity_.tag.file % 2 == 0;
    if (identity_.tag.file / 2 % 2 == 0) {
      const std::uint64_t pages = 1 + derive_seed(identity_.seed, 1) % kHolePagesMax;
      hole_bytes_ = std::min(pages * context.workspace.page_bytes(), bytes().size() / 2);
    }
  }

  struct Outcome {
    int refused = 0;              // the errno of the last try
    std::uint64_t was_huge = 0;   // bytes
    std::uint64_t made_huge = 0;  // bytes that were not huge before
  };
  Outcome run() {
    Pattern(identity_.tag, identity_.incompressible)
        .fill(0, std::span(image_).first((bytes().size() - hole_bytes_) / kWordBytes));
    write_first();
    const Outcome outcome = collapse();
    if (outcome.refused == 0 && outcome.made_huge != 0) context_.meter.expose(1);
    const Fd fd = context_.workspace.open(identity_.name, O_RDWR);
    try {
      if (writes_again_) overwrite(fd);
    } catch (const WriteFailed& failed) {
      judge_before(fd, failed);
      throw;
    }
    judge(fd, bytes().size());
    context_.workspace.remove(identity_.name);
    return outcome;
  }

 private:
  // Dirty pages are refused by a right kernel (EINVAL, or EAGAIN with writeback begun); a wrong one loses them. When
  // they are clean the same call succeeds.
  Outcome collapse() {
    const Fd fd = context_.workspace.open(identity_.name, O_RDONLY);
    const AlignedMapping mapping(fd.get(), bytes().size(), huge_bytes_);
    const std::uint64_t data_bytes = bytes().size() - hole_bytes_;  // tmpfs would make pages of a hole that is touched
    Outcome outcome{.was_huge = mapping.huge(data_bytes)};
    outcome.refused = mapping.collapse();
    if (outcome.refused != 0) {
      if (retried([&] { return fsync(fd.get()); }) != 0) throw_errno("fsync " + identity_.name);
      outcome.refused = mapping.collapse();
    }
    if (outcome.refused != 0) return outcome;
    outcome.made_huge = std::max(mapping.huge(data_bytes), outcome.was_huge) - outcome.was_huge;
    return outcome;
  }

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(image_)); }

  void write_first() {
    const Fd fd = context_.workspace.create(identity_.name, 0);
    try {
      write(fd, 0, bytes().first(bytes().size() - hole_bytes_));
      if (hole_bytes_ != 0 && retried([&] { return ftruncate(fd.get(), static_cast<off_t>(bytes().size())); }) != 0)
        throw_errno("truncate " + identity_.name);
    } catch (const WriteFailed& failed) {
      judge_before(fd, failed);
      throw;
    }
  }

  // What was acknowledged before a write failed.
  void judge_before(const Fd& fd, const WriteFailed& failed) {
    const std::uint64_t size = std::min<std::uint64_t>(file_size(fd.get(), identity_.name), bytes().size());
    take_over(fd.get(), identity_.name, failed.offset(),
              std::as_writable_bytes(std::span(image_)).subspan(failed.offset()));
    judge(fd, size);
  }

  void judge(const Fd& fd, std::uint64_t size) {
    judge_content(context_.findings, {.fd = fd.get(),
                                      .name = identity_.name,
                                      .size_bytes = size,
                                      .expected = bytes_of(bytes()),
                                      .run_tag = identity_.tag.run,
                                      .incompressible = identity_.incompressible});
  }

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
  std::uint64_t huge_bytes_;
  std::vector<std::uint64_t> image_;  // the file as it must be
  std::uint64_t hole_bytes_ = 0;      // at its end
  bool writes_again_ = true;
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made) {
    const CollapseRound::Outcome outcome = CollapseRound(context).run();
    const std::string& type = context.workspace.filesystem().type;
    if (outcome.refused == 0) {
      if (outcome.made_huge != 0) continue;
      context.exposure_hint =
          outcome.was_huge != 0
              ? fmt::format(
                    "the page cache of {} was huge already ({} bytes of a file): it has large folios of its own, "
                    "and nothing is collapsed",
                    type, outcome.was_huge)
              : fmt::format("MADV_COLLAPSE of a file on {} succeeded, and no page of it is known to be huge", type);
      continue;
    }
    const std::string what = fmt::format("MADV_COLLAPSE of a file on {}: {}", type, error_text(outcome.refused));
    if (outcome.refused == EINVAL || outcome.refused == ENOSYS || outcome.refused == EOPNOTSUPP) {
      return Unsupported{what +
                         ", with its pages written back: this kernel makes no huge pages of such files "
                         "(CONFIG_READ_ONLY_THP_FOR_FS), or is older than 6.1"};
    }
    context.exposure_hint = what;
  }
  return std::nullopt;
}

}  // namespace

extern const Profile kCollapse;
const Profile kCollapse{describe, run, false, false};

}  // namespace writecanary::probe
