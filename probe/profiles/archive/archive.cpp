// archive: files that stay for weeks, across reboots and kernel upgrades, and are read again from storage by each run.
//
// Everything else here is written and judged within seconds. Rot takes longer: a wrong bit on the medium, a mirror half
// that was never written, a scrub that repaired the wrong way. The files lie in <path>/.writecanary/archive, and only
// this profile's own rotation removes them.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/profiles/archive/archive_name.h"
#include "probe/run/content_check.h"
#include "probe/run/profile.h"
#include "probe/verify/cold/eviction.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kPieceBytes = 128UL << 10;  // one exposure
constexpr std::size_t kAlignment = 4096;          // of memory, places and lengths of direct reads
constexpr std::uint64_t kSecondsPerDay = 24ULL * 3600;
constexpr char kUnfinished[] = "new-";  // prefix of a file that is not complete yet

ProfileInfo describe() {
  return {
      .name = "archive",
      .title = "files that stay for weeks",
      .description =
          "Keeps files in .writecanary/archive (by default 8 of 2 MiB: 16 MiB of the filesystem for good), reads those "
          "of "
          "earlier runs from storage, and replaces each after its age limit.",
      .role = "detector",
      .oracle = "A file still holds every byte that was written when it was made; a finding says its age and kernel.",
      .exposure = "128 KiB that an earlier run wrote were read again after they had left the page cache.",
      .needs_io_uring = false,
      .options = {{"files", "files to keep", "count", 1, 64, 8},
                  {"file_bytes", "size of a new file; a multiple of 4096", "bytes", 64 << 10, 64 << 20, 2 << 20},
                  {"age_days", "a file is replaced when it is older", "days", 1, 3650, 90}},
      .references = {"https://git.kernel.org/linus/93dec51e716d (md/raid1: fix data corruption for degraded array with "
                     "slow disk)",
                     "https://git.kernel.org/linus/5e1d824f9a28 (powerpc: Don't clobber f0/vs0 during fp|altivec "
                     "register save)"},
  };
}

std::string kernel_release() {
  utsname name{};
  uname(&name);
  return name.release;
}

class Archive {
 public:
  explicit Archive(RunContext& context)
      : context_(context),
        directory_(context.workspace.lasting_directory("archive")),
        found_(kAlignment, kPieceBytes),
        expected_(kPieceBytes) {
    list();
  }

  // Reads what earlier runs left.
  void verify() {
    for (const ArchiveName& name : files_) {
      if (!context_.limits.may_continue()) return;
      verify(name);
    }
  }

  // Removes what is too old or too many, and makes new files up to the number that was asked for.
  void rotate() {
    const std::uint64_t now = now_unix_s();
    const std::uint64_t wanted = context_.settings.option("files");
    const std::uint64_t age = context_.settings.option("age_days") * kSecondsPerDay;
    while (!files_.empty() && (files_.size() > wanted || files_.front().created_unix_s + age < now)) {
      remove(to_string(files_.front()));
      files_.erase(files_.begin());
    }
    while (files_.size() < wanted && context_.limits.may_continue()) files_.push_back(make(now));
  }

  bool empty() const { return files_.empty(); }

 private:
  std::uint64_t now_unix_s() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(context_.clock.now().time_since_epoch()).count());
  }

  // Oldest first. What was not finished is removed, what is not ours stays.
  void list() {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(dup(directory_.get())), closedir);
    if (!entries) throw_errno("list the archive");
    while (const dirent* entry = readdir(entries.get())) {
      const std::string_view text = entry->d_name;
      if (text.starts_with(kUnfinished)) remove(entry->d_name);
      if (const auto name = parse_archive_name(text)) files_.push_back(*name);
    }
    std::ranges::sort(files_, {},
                      [](const ArchiveName& name) { return std::pair(name.created_unix_s, name.tag.file); });
  }

  void remove(const std::string& name) const {
    if (unlinkat(directory_.get(), name.c_str(), 0) != 0) throw_errno("remove archive/" + name);
  }

  Fd open(const std::string& name, int flags) const {
    const int fd = openat(directory_.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) throw_errno("open archive/" + name);
    return Fd(fd);
  }

  // Complete and on storage before it gets its name.
  ArchiveName make(std::uint64_t now) {
    ArchiveName name{now, context_.settings.option("file_bytes") / kAlignment * kAlignment, context_.next_file().tag,
                     context_.settings.spec().incompressible, kernel_release()};
    const std::string text = to_string(name), unfinished = kUnfinished + text;
    const Fd fd = open(unfinished, O_RDWR | O_CREAT | O_EXCL);
    try {
      fill(name, fd, unfinished);
    } catch (const WriteFailed& failed) {
      judge_before(name, fd, unfinished, failed);
      throw;
    }
    if (retried([&] { return fsync(fd.get()); }) != 0) throw_errno("fsync archive/" + unfinished);
    if (renameat(directory_.get(), unfinished.c_str(), directory_.get(), text.c_str()) != 0) {
      throw_errno("rename archive/" + unfinished);
    }
    if (retried([&] { return fsync(directory_.get()); }) != 0) throw_errno("fsync archive");
    return name;
  }

  void fill(const ArchiveName& name, const Fd& fd, const std::string& text) {
    const Pattern pattern(name.tag, name.incompressible);
    for (std::uint64_t offset = 0; offset < name.size_bytes;) {
      const auto piece = std::span(expected_).first(std::min<std::uint64_t>(kPieceBytes, name.size_bytes - offset));
      pattern.fill_bytes(offset, piece);
      write_counted(context_.meter, fd.get(), "archive/" + text, offset, piece);
      offset += piece.size();
    }
  }

  // What was acknowledged before a write failed. What else it left is cut off.
  void judge_before(const ArchiveName& name, const Fd& fd, const std::string& text, const WriteFailed& failed) {
    if (retried([&] { return ftruncate(fd.get(), static_cast<off_t>(failed.offset())); }) != 0)
      throw_errno("truncate archive/" + text);
    const Pattern pattern(name.tag, name.incompressible);
    judge_content(context_.findings,
                  {.fd = fd.get(),
                   .name = "archive/" + text,
                   .size_bytes = failed.offset(),
                   .expected = [&](std::uint64_t offset, std::span<std::byte> out) { pattern.fill_bytes(offset, out); },
                   .run_tag = name.tag.run,
                   .incompressible = name.incompressible});
  }

  void verify(const ArchiveName& name) {
    const std::string text = to_string(name);
    Fd fd = open(text, O_RDONLY);
    const bool cold = evict(fd.get(), "archive/" + text).none();
    bool direct = false;
    if (const int other = openat(directory_.get(), text.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC); other >= 0) {
      fd = Fd(other);
      direct = true;
    }
    Comparison comparison("archive/" + text, name.tag.run, name.incompressible, context_.findings.wanted());
    const std::uint64_t size = compare(name, fd, direct, cold, comparison);
    comparison.add_size(size, name.size_bytes);
    FileReport report = comparison.report();
    const double days =
        static_cast<double>(now_unix_s() - std::min(now_unix_s(), name.created_unix_s)) / kSecondsPerDay;
    for (Finding& finding : report.findings) {
      finding.detail += fmt::format("; written {:.1f} days ago by {}, read {}", days, name.kernel,
                                    direct ? "with O_DIRECT" : (cold ? "from storage" : "from the page cache"));
    }
    if (report.tally.total() == 0) {
      context_.findings.report(report);
      return;
    }
    const Pattern pattern(name.tag, name.incompressible);
    const Fd cached = open(text, O_RDONLY);  // any offset and buffer will do
    context_.findings.report(
        report, {.fd = cached.get(),
                 .name = "archive/" + text,
                 .size_bytes = name.size_bytes,
                 .expected = [&](std::uint64_t offset, std::span<std::byte> out) { pattern.fill_bytes(offset, out); },
                 .run_tag = name.tag.run,
                 .incompressible = name.incompressible});
  }

  // Returns the size of the file.
  std::uint64_t compare(const ArchiveName& name, const Fd& fd, bool& direct, bool cold, Comparison& comparison) {
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) throw_errno("stat archive/" + to_string(name));
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const Pattern pattern(name.tag, name.incompressible);
    for (std::uint64_t offset = 0; offset < std::min(size, name.size_bytes) && context_.limits.may_continue();) {
      const ssize_t got =
          retried([&] { return pread(fd.get(), found_.span().data(), kPieceBytes, static_cast<off_t>(offset)); });
      if (got < 0 && errno == EINVAL && direct) {  // an alignment that this device does not have
        direct = false;
        if (fcntl(fd.get(), F_SETFL, 0) != 0) throw_errno("take O_DIRECT from archive/" + to_string(name));
        continue;
      }
      if (got < 0) throw_errno("read archive/" + to_string(name));
      if (got == 0) break;
      const auto length = std::min(static_cast<std::uint64_t>(got), name.size_bytes - offset);
      pattern.fill_bytes(offset, std::span(expected_).first(length));
      comparison.add(offset, found_.span().first(length), std::span(expected_).first(length));
      if (cold) context_.meter.expose(1);
      offset += length;
    }
    return size;
  }

  RunContext& context_;
  Fd directory_;
  AlignedBuffer<std::byte> found_;
  std::vector<std::byte> expected_;
  std::vector<ArchiveName> files_;
};

std::optional<Unsupported> run(RunContext& context) {
  Archive archive(context);
  context.exposure_hint =
      archive.empty() ? "the archive was made by this run; the next one reads it"
                      : "too little of the archive could be read from storage; is there any below this filesystem?";
  archive.verify();
  archive.rotate();
  return std::nullopt;
}

}  // namespace

extern const Profile kArchive;
const Profile kArchive{describe, run, false, false};

}  // namespace writecanary::probe
