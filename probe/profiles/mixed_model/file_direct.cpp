// The executor's direct I/O, and writes that meet their own write-back.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/memory/file_mapping.h"
#include "probe/profiles/mixed_model/file_executor.h"

namespace writecanary::probe {
namespace {

constexpr unsigned kPartsMax = 8;
constexpr std::uint64_t kMemoryAlignment = 4096;

// Memory for a direct transfer; a multiple of the alignment, and at least so large.
AlignedBuffer<std::byte> direct_memory(std::uint64_t bytes) {
  return {kMemoryAlignment, (bytes + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment};
}

// Whether write-back zeroes what a mapping stored behind the end, as it is on these. Memory is not written back, and of
// others nobody promises it; with data=journal ext4 does not.
bool zeroes_behind_end(const FilesystemFacts& filesystem) {
  const std::string& type = filesystem.type;
  return type == "xfs" || type == "btrfs" ||
         (type == "ext4" && filesystem.options.find("data=journal") == std::string::npos);
}

}  // namespace

void FileExecutor::count(std::uint64_t length_bytes, std::int64_t result, bool counted) {
  WriteRef write;
  write.length_bytes = length_bytes;
  write.result = result;
  count(write, counted);
}

bool FileExecutor::direct_write(const Operation& operation, const FileRange& where, bool counted) {
  if (!direct_fd_) {
    note_refusal("O_DIRECT");
    return false;
  }
  const std::vector<std::byte> data = model_.data(operation, where);
  const auto memory = direct_memory(data.size());
  std::ranges::copy(data, memory.span().begin());
  const ssize_t returned = retried(
      [&] { return pwrite(direct_fd_.get(), memory.span().data(), data.size(), static_cast<off_t>(where.offset)); });
  if (returned < 0) return refuse("a write with O_DIRECT");
  count(data.size(), returned, counted);
  const auto done = static_cast<std::size_t>(returned);
  // What a short one left out is written plainly, as its end need not be aligned.
  return write_plainly(file_.fd(), file_.name(), where.offset + done, std::span(data).subspan(done), counted);
}

bool FileExecutor::direct_parts(const Operation& operation, const FileRange& where, bool counted) {
  if (!direct_fd_ || !at_once_) {
    note_refusal(direct_fd_ ? "io_submit" : "O_DIRECT");
    return false;
  }
  const std::vector<std::byte> data = model_.data(operation, where);
  const std::uint64_t unit =
      (data.size() / kPartsMax + model_.direct_alignment() - 1) / model_.direct_alignment() * model_.direct_alignment();
  // One after the other, each at an address of its own that is aligned too.
  const auto memory = direct_memory(data.size());
  std::ranges::copy(data, memory.span().begin());
  std::vector<WritesAtOnce::Write> parts;
  for (std::uint64_t at = 0; at < data.size(); at += unit) {
    const std::uint64_t length = std::min<std::uint64_t>(unit, data.size() - at);
    parts.push_back({where.offset + at, std::span<const std::byte>(memory.span()).subspan(at, length)});
  }
  const std::vector<std::int64_t> results = at_once_->write(direct_fd_.get(), parts);
  if (std::ranges::all_of(results, [](std::int64_t result) { return result == -EINVAL; })) {
    errno = EINVAL;
    return refuse("a write with O_DIRECT");
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    count(parts[i].bytes.size(), results[i], counted);
    if (results[i] < 0) throw SystemError("write with O_DIRECT to " + file_.name(), static_cast<int>(-results[i]));
    const auto done = static_cast<std::size_t>(results[i]);
    write_plainly(file_.fd(), file_.name(), parts[i].offset + done, parts[i].bytes.subspan(done), counted);
  }
  return true;
}

bool FileExecutor::rewrite(const Operation& operation, const FileRange& where, bool counted) {
  write_plainly(file_.fd(), file_.name(), where.offset, model_.earlier_data(operation, where), counted);
  const bool begun = retried([&] {
                       return sync_file_range(file_.fd(), static_cast<off_t>(where.offset),
                                              static_cast<off_t>(where.length), SYNC_FILE_RANGE_WRITE);
                     }) == 0;
  if (!begun && errno != ENOSYS) throw_errno("sync_file_range " + file_.name());
  if (!begun) note_refusal("sync_file_range");
  return write_plainly(file_.fd(), file_.name(), where.offset, model_.data(operation, where), counted);
}

bool FileExecutor::store_behind(const Operation& operation, const FileRange& where) {
  const bool synced = operation.kind == OpKind::kStoreSynced;
  if (synced && !zeroes_behind_end(filesystem_)) {
    note_refusal("stores behind the end that are written back");
    return false;
  }
  if (file_.size_bytes() != where.offset) return true;  // not as the model has it: the comparison says it
  const FileMapping mapping = map_shared(where);
  if (mapping.bytes().empty()) return refuse("mmap(MAP_SHARED)");
  stored_behind_ = stored_behind_ || !synced;
  std::ranges::copy(model_.data(operation, where), mapping.bytes().begin());
  mapping.check("store through a mapping of " + file_.name());
  if (synced && retried([&] { return fsync(file_.fd()); }) != 0) throw_errno("fsync " + file_.name());
  return true;
}

bool FileExecutor::write_plainly(int fd, const std::string& name, std::uint64_t offset, std::span<const std::byte> data,
                                 bool counted) {
  while (!data.empty()) {
    const ssize_t returned = retried([&] { return pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)); });
    if (returned < 0) throw_errno("write to " + name);
    count(data.size(), returned, counted);
    offset += static_cast<std::uint64_t>(returned);
    data = data.subspan(static_cast<std::size_t>(returned));
  }
  return true;
}

FileReport FileExecutor::direct_read(const FileRange& where) {
  if (!direct_fd_) {
    note_refusal("O_DIRECT");
    return {};
  }
  const auto memory = direct_memory(where.length);
  const ssize_t got = retried(
      [&] { return pread(direct_fd_.get(), memory.span().data(), where.length, static_cast<off_t>(where.offset)); });
  if (got < 0) {
    refuse("a read with O_DIRECT");
    return {};
  }
  return compare_piece(where.offset, std::span<const std::byte>(memory.span()).first(static_cast<std::size_t>(got)));
}

}  // namespace writecanary::probe
