// forgotten-inode: files are written, synced and closed, and read again when the kernel has forgotten them.
//
// As long as an inode is in memory, its size and its blocks are what the kernel believes and not what it has stored: a
// size that was never written back is right for everybody, until memory is short. One file alone is forgotten when its
// flag for DAX is changed: since what it does takes effect only when the inode is read again, the kernel drops it as
// soon as nobody has it open (d_mark_dontcache(), Linux 5.8). Here it is set and taken back: nothing else comes of it.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/mapped_access.h"
#include "probe/pattern/plan.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kBytesMax = 40'000;  // of a file's first write

ProfileInfo describe() {
  return {
      .name = "forgotten-inode",
      .title = "files that the kernel has forgotten",
      .description =
          "Small files are written, appended to within their last page, cut, stretched, preallocated and stored to, "
          "synced in between and at the end, and closed. The kernel is made to forget each, by its flag for DAX, and "
          "it is opened and read from storage.",
      .role = "detector",
      .oracle = "Size and content are what they were.",
      .exposure =
          "The file had been forgotten: pages that were in memory when it was closed were gone when it was opened "
          "again (mincore(2)).",
      .needs_io_uring = false,
      .options = {{"files", "files; 0: until another limit", "count", 0, 100'000, 60}},
      .references = {"fs/dcache.c, d_mark_dontcache()", "Documentation/filesystems/dax.rst"},
  };
}

// Has the inode dropped when nobody has the file open any more. False, with the reason in errno, where that is refused.
bool mark_to_be_forgotten(int fd) {
  fsxattr attributes{};
  const auto done = [&](unsigned long call) { return retried([&] { return ioctl(fd, call, &attributes); }) == 0; };
  if (!done(FS_IOC_FSGETXATTR)) return false;
  for (int i = 0; i < 2; ++i) {  // there and back
    attributes.fsx_xflags ^= FS_XFLAG_DAX;
    if (!done(FS_IOC_FSSETXATTR)) return false;
  }
  return true;
}

bool is_refusal(int error_number) {
  constexpr std::array kRefusals = {EOPNOTSUPP, ENOTTY, EINVAL, ENOSYS, EPERM};
  return std::ranges::find(kRefusals, error_number) != kRefusals.end();
}

class ForgottenFile {
 public:
  explicit ForgottenFile(RunContext& context)
      : context_(context), identity_(context.next_file()), file_(context.workspace.create(identity_.name, 0)) {}
  ~ForgottenFile() {
    try {
      context_.workspace.remove(identity_.name);
    } catch (const SystemError&) {  // the directory is removed with all in it at the end of the run
    }
  }
  ForgottenFile(const ForgottenFile&) = delete;
  ForgottenFile& operator=(const ForgottenFile&) = delete;

  // To be forgotten; first of all, since it writes the inode, which must not be what saves it later. The errno with
  // which that is refused, or 0.
  int mark() {
    if (mark_to_be_forgotten(file_.get())) return 0;
    if (!is_refusal(errno)) throw_errno("change the flags of " + identity_.name);
    return errno;
  }
  // Written in one of the ways, and written back.
  void fill(std::uint64_t way) {
    write(any(0, kBytesMax) + 1);
    const std::uint64_t page = context_.workspace.page_bytes();
    switch (way % 6) {
      case 0:
        break;
      case 1:  // more of the last page
        sync();
        write(1 + any(1, page - image_.size() % page));
        break;
      case 2:
        sync();
        resize(1 + any(1, image_.size()));
        break;
      case 3:
        resize(image_.size() + any(1, 3 * page));
        break;
      case 4:
        fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(image_.size() + 8 * page));
        sync();
        write(1 + any(1, 2 * page));
        break;
      default:
        sync();
        resize(image_.size() + 1 + any(1, page));
        store_at_end();
    }
    sync();
  }
  // Closes it and opens it again.
  void forget() {
    const bool was_resident = !residency(file_.get(), identity_.name).none();
    file_ = Fd();
    file_ = context_.workspace.open(identity_.name, O_RDWR);
    if (was_resident && residency(file_.get(), identity_.name).none()) context_.meter.expose(1);
  }
  void judge() { judge_content(context_.findings, view()); }

 private:
  std::uint64_t any(std::uint64_t what, std::uint64_t below) const { return derive_seed(identity_.seed, what) % below; }

  ContentView view() const {
    return {.fd = file_.get(),
            .name = identity_.name,
            .size_bytes = image_.size(),
            .expected = bytes_of(image_),
            .run_tag = identity_.tag.run,
            .incompressible = identity_.incompressible};
  }
  std::vector<std::byte> make(std::uint64_t offset, std::uint64_t bytes) const {
    std::vector<std::byte> made(bytes);
    Pattern(identity_.tag, identity_.incompressible).fill_bytes(offset, made);
    return made;
  }
  // Behind what is there.
  void write(std::uint64_t bytes) {
    const std::uint64_t offset = image_.size();
    const std::vector<std::byte> made = make(offset, bytes);
    try {
      write_counted(context_.meter, file_.get(), identity_.name, offset, made);
    } catch (const WriteFailed& failed) {
      image_.insert(image_.end(), made.begin(), made.begin() + static_cast<std::ptrdiff_t>(failed.offset() - offset));
      judge_content(context_.findings, view_of_what_is_there());
      throw;
    }
    image_.insert(image_.end(), made.begin(), made.end());
  }
  // After a write at the end that failed: as much of it as came into the file was promised by nobody.
  ContentView view_of_what_is_there() {
    const std::uint64_t acknowledged = image_.size();
    image_.resize(std::max(acknowledged, file_size(file_.get(), identity_.name)));
    take_over(file_.get(), identity_.name, acknowledged, std::span(image_).subspan(acknowledged));
    return view();
  }
  void resize(std::uint64_t bytes) {
    if (retried([&] { return ftruncate(file_.get(), static_cast<off_t>(bytes)); }) != 0)
      throw_errno("truncate " + identity_.name);
    image_.resize(bytes);
  }
  void store_at_end() {
    const std::uint64_t offset = image_.size() - 1;
    const std::vector<std::byte> made = make(offset, 1);
    if (Mapped(file_.get(), offset, 1, true).store(made) == 1) image_.back() = made.front();
  }
  void sync() const {
    if (retried([&] { return fsync(file_.get()); }) != 0) throw_errno("fsync " + identity_.name);
  }

  RunContext& context_;
  FileIdentity identity_;
  Fd file_;
  std::vector<std::byte> image_;
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made) {
    ForgottenFile file(context);
    const int refused = file.mark();
    file.fill(made);
    file.forget();
    file.judge();
    if (refused == 0) continue;
    return Unsupported{fmt::format("a file on {} is not forgotten on demand: its flag for DAX cannot be changed: {}",
                                   context.workspace.filesystem().type, error_text(refused))};
  }
  context.exposure_hint =
      context.meter.counters().exposures != 0
          ? "too few files were written"
          : "the kernel kept the files in memory, as it does with the mount options dax=always and dax=never";
  return std::nullopt;
}

}  // namespace

extern const Profile kForgottenInode;
const Profile kForgottenInode{describe, run, false, false};

}  // namespace writecanary::probe
