#include "probe/profiles/copy_after_write/copy_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/pattern/plan.h"
#include "probe/run/content_check.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kDirectAlignment = 4096;

}  // namespace

const char* to_string(SourceState state) {
  switch (state) {
    case SourceState::kDelayed:
      return "written into holes";
    case SourceState::kPreallocated:
      return "written over preallocated space";
    case SourceState::kMapped:
      return "stored through a mapping";
    case SourceState::kDirect:
      return "written with O_DIRECT and plainly in turn";
    case SourceState::kOverwritten:
      return "written back and overwritten";
  }
  return "";
}

CopySource::CopySource(RunContext& context, const FileIdentity& identity, std::uint64_t size_bytes)
    : context_(context), identity_(identity), file_(context.workspace, identity.name, 0), image_(size_bytes) {}

std::vector<CopySource::Piece> CopySource::plan(SourceState state) const {
  std::vector<Piece> pieces;
  Plan lengths(identity_.seed, kWordBytes, context_.settings.option("write_max_bytes"));
  const std::uint64_t unit = state == SourceState::kDirect ? kDirectAlignment : 1;
  const auto rounded = [&](std::uint64_t bytes) { return (bytes + unit - 1) / unit * unit; };
  for (std::uint64_t offset = rounded(lengths.next_length()); offset < image_.size();) {
    const std::uint64_t length = std::min<std::uint64_t>(rounded(lengths.next_length()), image_.size() - offset);
    pieces.push_back({{offset, length}, pieces.size(), false});
    offset += length;
    if (derive_seed(identity_.seed, offset) % 2 == 0) offset += rounded(lengths.next_length());
  }
  if (!pieces.empty()) pieces.back().last = true;
  return pieces;
}

bool CopySource::write(SourceState state) {
  bool as_asked = true;
  const Pattern pattern(identity_.tag, identity_.incompressible);
  const std::vector<Piece> pieces = plan(state);
  // The size comes first: XFS writes a file back before it grows it by truncation.
  if (retried([&] { return ftruncate(fd(), static_cast<off_t>(image_.size())); }) != 0)
    throw_errno("truncate " + name());
  if (state == SourceState::kPreallocated &&
      retried([&] { return fallocate(fd(), 0, 0, static_cast<off_t>(image_.size())); }) != 0) {
    if (errno != EOPNOTSUPP && errno != ENOSYS) throw_errno("fallocate " + name());
    as_asked = false;
  }
  if (state == SourceState::kOverwritten) {
    Tag older = identity_.tag;
    older.writer = 1;
    for (const Piece& piece : pieces) {
      if (piece.number % 2 != 0 && !piece.last) continue;
      const auto bytes = std::span(image_).subspan(piece.where.offset, piece.where.length);
      Pattern(older, identity_.incompressible).fill_bytes(piece.where.offset, bytes);
      writing_ = piece.where;
      write_counted(context_.meter, fd(), name(), piece.where.offset, bytes);
    }
    evict_to_storage(context_, fd(), name());
  }
  for (const Piece& piece : pieces) {
    // What is not written again lies on storage alone.
    if (state == SourceState::kOverwritten && piece.number % 4 == 2 && !piece.last) continue;
    pattern.fill_bytes(piece.where.offset, std::span(image_).subspan(piece.where.offset, piece.where.length));
    writing_ = piece.where;
    as_asked = put(state, piece) && as_asked;
    last_ = piece.where;
  }
  return as_asked;
}

void CopySource::take_over(const WriteFailed& failed) {
  const std::uint64_t end = writing_.offset + writing_.length;
  probe::take_over(fd(), name(), failed.offset(), std::span(image_).subspan(failed.offset(), end - failed.offset()));
}

bool CopySource::put(SourceState state, const Piece& piece) {
  if (state == SourceState::kMapped && store(piece.where)) return true;
  if (state == SourceState::kDirect && piece.number % 2 == 0 && !piece.last && put_directly(piece.where)) return true;
  write_counted(context_.meter, fd(), name(), piece.where.offset,
                std::span(image_).subspan(piece.where.offset, piece.where.length));
  return state != SourceState::kMapped && (state != SourceState::kDirect || piece.number % 2 != 0 || piece.last);
}

// By a system call, so that a page that cannot be had (no space) is an error of it and not the end of the process.
bool CopySource::store(const FileRange& where) {
  const std::uint64_t lead = where.offset % context_.workspace.page_bytes();
  void* mapping = mmap(nullptr, lead + where.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd(),
                       static_cast<off_t>(where.offset - lead));
  if (mapping == MAP_FAILED) return false;
  const iovec from{image_.data() + where.offset, where.length};
  const iovec to{static_cast<std::byte*>(mapping) + lead, where.length};
  const ssize_t stored = process_vm_writev(getpid(), &from, 1, &to, 1, 0);
  munmap(mapping, lead + where.length);
  return stored == static_cast<ssize_t>(where.length);
}

bool CopySource::put_directly(const FileRange& where) {
  const Fd direct(open(("/proc/self/fd/" + std::to_string(fd())).c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
  const std::uint64_t whole = where.length / kDirectAlignment * kDirectAlignment;
  if (!direct || whole == 0) return false;
  const AlignedBuffer<std::byte> buffer(kDirectAlignment, whole);
  std::memcpy(buffer.span().data(), image_.data() + where.offset, whole);
  if (pwrite(direct.get(), buffer.span().data(), whole, static_cast<off_t>(where.offset)) !=
      static_cast<ssize_t>(whole))
    return false;
  // What is left of an odd size is written plainly.
  if (whole != where.length) {
    write_counted(context_.meter, fd(), name(), where.offset + whole,
                  std::span(image_).subspan(where.offset + whole, where.length - whole));
  }
  return true;
}

}  // namespace writecanary::probe
