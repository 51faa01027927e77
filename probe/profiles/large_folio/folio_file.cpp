#include "probe/profiles/large_folio/folio_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/verify/cold/eviction.h"
#include "probe/verify/cold/range_eviction.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kWriteBytes = 1 << 20;  // as large as folios get on most filesystems, times a few
constexpr std::uint64_t kLookBytes = 256 << 10;
constexpr std::size_t kWrongLooksMax = 16;  // per reader and file; more tell nothing new
constexpr std::uint8_t kNone = 0xff;
constexpr int kDontCache = 0x80;  // RWF_DONTCACHE (linux/fs.h, 6.14)

std::uint64_t to_word(std::uint64_t bytes) { return bytes / kWordBytes * kWordBytes; }

}  // namespace

FolioFile::FolioFile(RunContext& context, const FileIdentity& identity, std::uint64_t size_bytes)
    : context_(context),
      identity_(identity),
      file_(context.workspace, identity.name, 0),
      generations_(size_bytes / kWordBytes, 0),
      buffer_(kWriteBytes / kWordBytes) {}

void FolioFile::fill() {
  std::fill(generations_.begin() + static_cast<std::ptrdiff_t>(half() / kWordBytes), generations_.end(),
            generation_ = 1);
  for (const auto& [begin, end, generation] :
       {std::tuple{std::uint64_t{0}, half(), std::uint8_t{0}}, std::tuple{half(), size_bytes(), generation_}}) {
    for (std::uint64_t offset = begin; offset < end; offset += kWriteBytes) {
      write({offset, std::min(kWriteBytes, end - offset)}, generation, false);
    }
  }
}

void FolioFile::write(FileRange range, std::uint8_t generation, bool uncached) {
  Tag tag = identity_.tag;
  tag.writer = generation;
  const auto words = std::span(buffer_).first(range.length / kWordBytes);
  Pattern(tag, identity_.incompressible).fill(range.offset, words);
  for (std::uint64_t done = 0; done < range.length;) {
    const iovec vector{reinterpret_cast<char*>(words.data()) + done, range.length - done};
    const int flags = uncached && uncached_known_ ? kDontCache : 0;
    const ssize_t returned =
        retried([&] { return pwritev2(file_.fd(), &vector, 1, static_cast<off_t>(range.offset + done), flags); });
    if (returned < 0 && flags != 0 && (errno == EOPNOTSUPP || errno == EINVAL)) {
      uncached_known_ = false;
      context_.note = "without RWF_DONTCACHE, which is refused here: " + error_text(errno);
      continue;
    }
    WriteRef write;
    write.length_bytes = vector.iov_len;
    write.result = returned < 0 ? -errno : returned;
    context_.meter.count(write, false);
    if (returned < 0) {
      const std::uint64_t whole = to_word(done);
      std::fill_n(generations_.begin() + static_cast<std::ptrdiff_t>(range.offset / kWordBytes), whole / kWordBytes,
                  generation);
      failed_ = {range.offset + whole, range.length - whole};
      throw WriteFailed(file_.name(), failed_.offset, static_cast<int>(-write.result));
    }
    done += static_cast<std::uint64_t>(returned);
  }
}

FileRange FolioFile::range_of_second_half(std::uint64_t where) const {
  const std::uint64_t offset = half() + to_word(where % half());
  const std::uint64_t length = to_word((where >> 32) % kWriteBytes) + kWordBytes;
  return {offset, std::min(length, size_bytes() - offset)};
}

void FolioFile::rewrite_stable(std::uint64_t where) {
  const std::uint64_t offset = to_word(where % half());
  write({offset, std::min(kWriteBytes, half() - offset)}, 0, (where >> 40) % 2 == 0);
}

void FolioFile::rewrite(std::uint64_t where, bool uncached) {
  const FileRange range = range_of_second_half(where);
  generation_ = static_cast<std::uint8_t>(generation_ % kWriterTagMax + 1);
  ++changes_;
  write(range, generation_, uncached);
  ++changes_;
  std::fill_n(generations_.begin() + static_cast<std::ptrdiff_t>(range.offset / kWordBytes), range.length / kWordBytes,
              generation_);
}

bool FolioFile::punch(std::uint64_t where) {
  const FileRange range = range_of_second_half(where);
  ++changes_;
  const int failed = retried([&] {
    return fallocate(file_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(range.offset),
                     static_cast<off_t>(range.length));
  });
  ++changes_;
  if (failed != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) return false;
  if (failed != 0) throw_errno("punch a hole into " + file_.name());
  std::fill_n(generations_.begin() + static_cast<std::ptrdiff_t>(range.offset / kWordBytes), range.length / kWordBytes,
              kNone);
  return true;
}

void FolioFile::truncate(std::uint64_t where) {
  const std::uint64_t cut = range_of_second_half(where).offset;
  ++changes_;
  const bool failed = retried([&] { return ftruncate(file_.fd(), static_cast<off_t>(cut)); }) != 0 ||
                      retried([&] { return ftruncate(file_.fd(), static_cast<off_t>(size_bytes())); }) != 0;
  ++changes_;
  if (failed) throw_errno("truncate " + file_.name());
  std::fill(generations_.begin() + static_cast<std::ptrdiff_t>(cut / kWordBytes), generations_.end(), kNone);
}

bool FolioFile::drop(std::uint64_t offset, std::uint64_t bytes) {
  write_back(file_.fd(), file_.name(), offset, bytes);
  const Residency before = residency(file_.fd(), file_.name());
  posix_fadvise(file_.fd(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
  return residency(file_.fd(), file_.name()).resident < before.resident;
}

bool FolioFile::reclaim(Looks& looks) {
  drop(0, size_bytes());
  Reader sequential(*this);  // a descriptor of its own, whose readahead begins anew
  for (std::uint64_t offset = 0; offset < size_bytes(); offset += kLookBytes) sequential.look(offset, looks);
  const Residency before = residency(file_.fd(), file_.name());
  if (!context_.pressure.reclaim(size_bytes())) return false;
  return residency(file_.fd(), file_.name()).resident < before.resident;
}

void FolioFile::expected(std::uint64_t offset, std::span<std::byte> out) const {
  for (std::size_t done = 0; done < out.size();) {
    const auto first = generations_.begin() + static_cast<std::ptrdiff_t>((offset + done) / kWordBytes);
    const auto other = std::find_if(first, generations_.end(), [&](std::uint8_t other) { return other != *first; });
    const auto run = static_cast<std::size_t>(other - first) * kWordBytes - (offset + done) % kWordBytes;
    const auto piece = out.subspan(done, std::min(run, out.size() - done));
    Tag tag = identity_.tag;
    tag.writer = *first;
    if (*first == kNone) {
      std::ranges::fill(piece, std::byte{0});
    } else {
      Pattern(tag, identity_.incompressible).fill_bytes(offset + done, piece);
    }
    done += piece.size();
  }
  const std::uint64_t begin = std::max(offset, failed_.offset);
  const std::uint64_t end = std::min(offset + out.size(), failed_.offset + failed_.length);
  if (begin < end) take_over(file_.fd(), file_.name(), begin, out.subspan(begin - offset, end - begin));
}

// A file that could not be filled ends where its last write did.
ContentView FolioFile::view() const {
  const std::uint64_t size = failed_.length > 0 ? std::min(size_bytes(), file_.size_bytes()) : size_bytes();
  return {.fd = file_.fd(),
          .name = file_.name(),
          .size_bytes = size,
          .expected = [this](std::uint64_t offset, std::span<std::byte> out) { expected(offset, out); },
          .run_tag = identity_.tag.run,
          .incompressible = identity_.incompressible};
}

void FolioFile::settle(const Looks& looks) {
  FileReport report = keep_transient(view(), looks.wrong, context_.findings.wanted());
  report.bytes_verified = looks.bytes;
  context_.findings.report(report);
}

void FolioFile::judge() { judge_content(context_.findings, view()); }

FolioFile::Reader::Reader(const FolioFile& file)
    : file_(file),
      fd_(file.context_.workspace.open(file.file_.name(), O_RDONLY)),
      found_(kLookBytes / kWordBytes),
      expected_(kLookBytes / kWordBytes) {}

void FolioFile::Reader::look(std::uint64_t where, Looks& looks) {
  const std::uint64_t offset = to_word(where % file_.size_bytes());
  const std::uint64_t changes = file_.changes_;
  // A short result says nothing of the file's end: with the limit low for a moment, for reclaim(), there is no memory
  // in the middle of a read.
  const auto found = std::as_writable_bytes(std::span(found_)).first(kLookBytes);
  std::uint64_t bytes = 0;
  bool at_end = false;
  while (bytes < kLookBytes && !at_end) {
    const auto rest = found.subspan(bytes);
    const ssize_t got =
        retried([&] { return pread(fd_.get(), rest.data(), rest.size(), static_cast<off_t>(offset + bytes)); });
    if (got < 0 && errno == ENOMEM) break;
    if (got < 0) throw_errno("read " + file_.file_.name());
    at_end = got == 0;
    bytes += static_cast<std::uint64_t>(got);
  }
  const bool changing = changes % 2 == 1 || file_.changes_ != changes;
  const std::uint64_t stable = std::max(file_.half(), offset) - offset;  // bytes of the look in the first half
  looks.bytes += bytes;

  Comparison comparison(file_.file_.name(), file_.identity_.tag.run, file_.identity_.incompressible, kWrongLooksMax);
  const std::uint64_t judged = changing ? std::min(bytes, stable) : to_word(bytes);
  const auto expected = std::span(expected_).first(judged / kWordBytes);
  Tag tag = file_.identity_.tag;
  Pattern(tag, file_.identity_.incompressible).fill(offset, expected);
  if (judged > stable)
    allow_changes(offset, std::span(found_).subspan(stable / kWordBytes, (judged - stable) / kWordBytes));
  comparison.add(offset, std::as_bytes(std::span(found_)).first(judged), std::as_bytes(expected));
  if (at_end && bytes < std::min(stable, kLookBytes))
    comparison.add_size(offset + bytes, offset + std::min(stable, kLookBytes));
  for (const Finding& finding : comparison.report().findings) {
    if (looks.wrong.size() == kWrongLooksMax) return;
    looks.wrong.push_back(finding);
    looks.wrong.back().detail += ", as a reader saw it while the file was in use";
  }
}

// In the second half any generation and zeros may stand, each at its own place.
void FolioFile::Reader::allow_changes(std::uint64_t offset, std::span<std::uint64_t> found) {
  const auto begin = static_cast<std::size_t>(found.data() - found_.data());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const DecodedWord word = decode(found[i], file_.identity_.incompressible);
    const bool own = word.tag.run == file_.identity_.tag.run && word.tag.file == file_.identity_.tag.file &&
                     word.stream_offset_bytes == offset + (begin + i) * kWordBytes;
    if (own || found[i] == 0) expected_[begin + i] = found[i];
  }
}

}  // namespace writecanary::probe
