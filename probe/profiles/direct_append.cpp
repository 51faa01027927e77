// direct-append: O_DIRECT writes to the end of a file, with O_APPEND and from the file position, out of memory that the
// kernel must fault in while it writes.
//
// A direct write that meets an unmapped page stops, faults it in and goes on. Kernels have forgotten what was done
// before the stop (a hole in the file, a second copy), or left the file position where it was.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_io.h"
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/verify/cold/eviction.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

// A bio takes 256 pieces of memory (BIO_MAX_VECS): larger direct writes are several. Few files have them, for they are
// few exposures for their bytes.
constexpr std::uint64_t kLargeEvery = 4;  // files
constexpr std::uint64_t kLargeMin = 2 << 20;
constexpr std::uint64_t kLargeMax = 4 << 20;
constexpr std::uint64_t kColdEvery = 4;  // writes; the source is then on storage, and the fault has to read it

ProfileInfo describe() {
  return {
      .name = "direct-append",
      .title = "direct appends from unfaulted memory",
      .description =
          "One writer makes O_DIRECT writes, in every second file with O_APPEND and else at the file position, from a "
          "mapped file whose pages are not mapped in yet; in every fourth file writes of 2 to 4 MiB.",
      .role = "detector",
      .oracle =
          "The file holds every acknowledged byte once, in order; its size is the sum of the results, and so is the "
          "file "
          "position after each write.",
      .exposure =
          "A direct write from unfaulted memory succeeded and left no page in the page cache (mincore), on a "
          "filesystem "
          "where such writes drop pages that are mapped, as only a direct write does.",
      .needs_io_uring = false,
      .options = {{"write_min_bytes", "smallest write", "bytes", 8192, 1 << 20, 16 << 10},
                  {"write_max_bytes", "largest write", "bytes", 16384, 8 << 20, 256 << 10},
                  {"file_bytes", "a file ends when it has reached this", "bytes", 64 << 10, 256 << 20, 4 << 20},
                  {"files", "files to fill; 0: until another limit", "count", 0, 100'000, 12}},
      .references =
          {"https://git.kernel.org/linus/939b656bc8ab (btrfs: fix corruption after buffer fault in during direct "
           "IO append write, 6.11)",
           "https://git.kernel.org/linus/936e114a245b6 (iomap: update ki_pos a little later in "
           "iomap_dio_complete, 6.5; 6.1.64 had 91562895f803 without it)"},
  };
}

// The bytes to write, as pages of a file that this process has not touched.
class UnfaultedSource {
 public:
  UnfaultedSource(const Workspace& workspace, std::uint64_t bytes) : fd_(workspace.create("source", 0)), bytes_(bytes) {
    if (retried([&] { return ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0) throw_errno("truncate source");
    mapping_ = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd_.get(), 0);
    if (mapping_ == MAP_FAILED) throw_errno("map source");
  }
  ~UnfaultedSource() { munmap(mapping_, bytes_); }
  UnfaultedSource(const UnfaultedSource&) = delete;
  UnfaultedSource& operator=(const UnfaultedSource&) = delete;

  const void* put(std::span<const std::byte> bytes, bool cold) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (lseek(fd_.get(), 0, SEEK_SET) != 0) throw_errno("seek source");
    write_all(fd_.get(), text);
    if (cold) evict(fd_.get(), "source");
    if (madvise(mapping_, bytes_, MADV_DONTNEED) != 0) throw_errno("madvise source");
    return mapping_;
  }

 private:
  Fd fd_;
  std::uint64_t bytes_;
  void* mapping_;
};

class DirectWriter final : public StreamWriter {
 public:
  DirectWriter(RunContext& context, std::uint64_t write_max, std::uint64_t alignment, bool meaningful)
      : context_(context), source_(context.workspace, write_max), alignment_(alignment), meaningful_(meaningful) {}

  void begin(const FileIdentity& file) override {
    direct_ = context_.workspace.open(file.name, O_WRONLY | O_DIRECT | (file.tag.file % 2 == 0 ? O_APPEND : 0));
    name_ = file.name;
  }

  StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t offset_bytes) override {
    // After an odd end (a short result) a buffered write makes the end even again, as an application would.
    const std::uint64_t beyond = offset_bytes % alignment_;
    const bool direct = beyond == 0;
    const std::size_t length =
        direct ? bytes.size() / alignment_ * alignment_ : std::min<std::size_t>(alignment_ - beyond, bytes.size());
    const auto piece = bytes.first(length);
    const void* memory = direct ? source_.put(piece, context_.meter.counters().writes % kColdEvery == 0) : piece.data();
    const ssize_t returned = retried([&] { return ::write(direct ? direct_.get() : file.fd(), memory, length); });
    const int error = errno;
    StreamWrite made;
    if (direct) made.way = CoveredWay::kDirect;
    made.ref.length_bytes = length;
    made.ref.result = returned < 0 ? -error : returned;
    made.exposed = meaningful_ && direct && returned > 0 &&
                   resident_pages(file.fd(), offset_bytes, static_cast<std::uint64_t>(returned)) == 0;
    if (returned > 0) check_position(made.ref, offset_bytes, direct);
    return made;
  }

 private:
  // Puts a wrong position right, so that the next write is judged for itself.
  void check_position(WriteRef write, std::uint64_t offset, bool direct) {
    const std::uint64_t right = offset + static_cast<std::uint64_t>(write.result);
    const off_t position = direct ? lseek(direct_.get(), 0, SEEK_CUR) : static_cast<off_t>(right);
    if (position != static_cast<off_t>(right)) {
      Finding finding;
      finding.kind = FindingKind::kMisplaced;
      finding.file = name_;
      const auto found = static_cast<std::uint64_t>(position);
      finding.offset_bytes = std::min(found, right);
      finding.length_bytes = std::max(found, right) - finding.offset_bytes;
      finding.detail = fmt::format("the file position is {} after a direct write at {} that returned {}", position,
                                   offset, write.result);
      write.index = context_.meter.counters().writes;
      write.stream_offset_bytes = offset;
      finding.write = write;
      context_.findings.report(finding);
    }
    if (lseek(direct_.get(), static_cast<off_t>(right), SEEK_SET) < 0) throw_errno("seek " + name_);
  }

  RunContext& context_;
  UnfaultedSource source_;
  std::uint64_t alignment_;
  bool meaningful_;
  std::string name_;
  Fd direct_;
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  const auto direct_io = try_direct_io(context.workspace, refused);
  if (!direct_io) return refused;
  const std::uint64_t alignment = direct_io->alignment;
  const bool meaningful = direct_io->passes_cache_by;
  const std::uint64_t smallest = std::max(context.settings.option("write_min_bytes"), 2 * alignment);
  const std::uint64_t largest = std::max(context.settings.option("write_max_bytes"), smallest + 2 * alignment);
  const std::uint64_t file_bytes = context.settings.option("file_bytes"), files = context.settings.option("files");
  DirectWriter writer(context, std::max(largest, kLargeMax), alignment, meaningful);
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made) {
    const bool large = made % kLargeEvery == kLargeEvery / 2 && file_bytes >= kLargeMin;
    run_stream(context,
               {.write_min = large ? kLargeMin : smallest,
                .write_max = large ? kLargeMax : largest,
                .file_bytes = file_bytes,
                .open_flags = O_APPEND,
                .continue_short = false,
                .files_max = 1},
               writer);
  }
  context.exposure_hint =
      meaningful
          ? "too few direct writes succeeded"
          : context.workspace.filesystem().type +
                " takes O_DIRECT and writes to the page cache all the same (tmpfs, ext4 with data=journal, btrfs "
                "with checksums since 6.15)";
  return std::nullopt;
}

}  // namespace

extern const Profile kDirectAppend;
const Profile kDirectAppend{describe, run, false};

}  // namespace writecanary::probe
