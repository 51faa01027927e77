#include "probe/profiles/mixed_model/file_executor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_alignment.h"
#include "probe/verify/content/comparison.h"

namespace writecanary::probe {
namespace {

constexpr unsigned kAtOnceMax = 16;

Fd open_direct(const Workspace& workspace, const std::string& name) {
  try {
    return workspace.open(name, O_RDWR | O_DIRECT);
  } catch (const SystemError& error) {
    if (error.error_number() != EINVAL) throw;
    return {};
  }
}

// 1 where there is no direct I/O, so that the model has something to divide by.
std::uint64_t alignment_of(const Fd& direct) {
  return direct ? std::max<std::uint64_t>(direct_alignment(direct.get()), 1) : 1;
}

}  // namespace

FileExecutor::FileExecutor(RunContext& context, const FileIdentity& identity, std::uint64_t size_max, Ring* ring)
    : context_(context),
      meter_(context.meter),
      findings_(context.findings),
      identity_(identity),
      file_(context.workspace, identity.name, 0),
      twin_(context.workspace, identity.name + kTwinSuffix, 0),
      append_fd_(context.workspace.open(identity.name, O_WRONLY | O_APPEND)),
      direct_fd_(open_direct(context.workspace, identity.name)),
      at_once_(WritesAtOnce::open(kAtOnceMax)),
      filesystem_(context.workspace.filesystem()),
      model_(identity.tag.run, identity.incompressible,
             {.size_max = size_max,
              .direct_alignment = alignment_of(direct_fd_),
              .block_bytes = context.workspace.block_bytes()}),
      ring_(ring) {}

bool FileExecutor::refuse(const char* what) {
  constexpr std::array kRefusals = {EOPNOTSUPP, ENOSYS, EINVAL, ENODEV, EXDEV, ENOTTY};
  if (std::ranges::find(kRefusals, errno) == kRefusals.end()) throw_errno(std::string(what) + " " + file_.name());
  note_refusal(what);
  return false;
}

FileReport FileExecutor::execute(const Operation& operation, bool counted) {
  const FileRange where = model_.reach(operation);
  if (!counted) return perform(operation, where, counted);
  const CoveredStates met = states_before(operation, where);
  was_refused_ = false;
  FileReport report = perform(operation, where, counted);
  if (!was_refused_) cover(operation, where, met);
  return report;
}

FileReport FileExecutor::perform(const Operation& operation, const FileRange& where, bool counted) {
  bool done = true;
  switch (operation.kind) {
    case OpKind::kTruncate:
      if (retried([&] { return ftruncate(file_.fd(), static_cast<off_t>(where.offset)); }) != 0)
        throw_errno("truncate " + file_.name());
      break;
    case OpKind::kSync:
      if (retried([&] { return fsync(file_.fd()); }) != 0) throw_errno("fsync " + file_.name());
      break;
    case OpKind::kEvict:
      evict_to_storage(context_, file_.fd(), file_.name());
      if (has_twin()) evict_to_storage(context_, twin_.fd(), twin_.name());
      break;
    default:
      if (where.length == 0) return {};
  }
  switch (operation.kind) {
    case OpKind::kRead:
      return read(operation, where);
    case OpKind::kMapRead:
      return map_read(where);
    case OpKind::kStopped:
      return write_with_stop(operation, where, counted);
    case OpKind::kMapRewrite:
      return map_rewrite(operation, where);
    case OpKind::kWrite:
    case OpKind::kAppend:
      done = write(operation, where, counted);
      break;
    case OpKind::kAllocate:
      done = allocate(0, "fallocate", where);
      break;
    case OpKind::kAllocateStopped:
      done = allocate_with_signals(where);
      break;
    case OpKind::kPunch:
      done = allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, "fallocate(PUNCH_HOLE)", where);
      break;
    case OpKind::kZeroRange:
      done = allocate(FALLOC_FL_ZERO_RANGE, "fallocate(ZERO_RANGE)", where);
      break;
    case OpKind::kCopyRange:
      done = copy(operation, where);
      break;
    case OpKind::kMapWrite:
      done = map_write(operation, where);
      break;
    case OpKind::kDirectRead:
      return direct_read(where);
    case OpKind::kDirectWrite:
      done = direct_write(operation, where, counted);
      break;
    case OpKind::kCollapse:
      done = allocate(FALLOC_FL_COLLAPSE_RANGE, "fallocate(COLLAPSE_RANGE)", where);
      break;
    case OpKind::kInsert:
      done = allocate(FALLOC_FL_INSERT_RANGE, "fallocate(INSERT_RANGE)", where);
      break;
    case OpKind::kClone:
      done = clone();
      break;
    case OpKind::kTwinWrite:
      done = write_twin(operation, where, counted);
      break;
    case OpKind::kUnshare:
      done = allocate(FALLOC_FL_UNSHARE_RANGE, "fallocate(UNSHARE_RANGE)", where);
      break;
    case OpKind::kStoreBehind:
    case OpKind::kStoreSynced:
      done = store_behind(operation, where);
      break;
    case OpKind::kDirectParts:
      done = direct_parts(operation, where, counted);
      break;
    case OpKind::kRewrite:
      done = rewrite(operation, where, counted);
      break;
    case OpKind::kCloneRange:
      done = clone_range(operation, where);
      break;
    case OpKind::kDedupe:
      done = deduplicate(where);
      break;
    default:
      break;
  }
  if (done) model_.apply(operation);
  return {};
}

std::int64_t FileExecutor::through_ring(bool writes, int fd, std::span<std::byte> bytes, std::int64_t offset) {
  io_uring_sqe* sqe = ring_->next_sqe();
  const auto length = static_cast<unsigned>(bytes.size());
  if (writes) {
    io_uring_prep_write(sqe, fd, bytes.data(), length, static_cast<std::uint64_t>(offset));
  } else {
    io_uring_prep_read(sqe, fd, bytes.data(), length, static_cast<std::uint64_t>(offset));
  }
  ring_->submit();
  return ring_->wait().result;
}

bool FileExecutor::write(const Operation& operation, const FileRange& where, bool counted) {
  std::vector<std::byte> data = model_.data(operation, where);
  const bool append = operation.kind == OpKind::kAppend;
  const bool ring = operation.ring && ring_ != nullptr;
  for (std::size_t done = 0; done < data.size();) {
    const auto rest = std::span(data).subspan(done);
    const auto offset = static_cast<std::int64_t>(where.offset + done);
    std::int64_t result;
    if (ring) {
      result = through_ring(true, append ? append_fd_.get() : file_.fd(), rest, append ? -1 : offset);
    } else {
      result = retried([&] {
        return append ? ::write(append_fd_.get(), rest.data(), rest.size())
                      : pwrite(file_.fd(), rest.data(), rest.size(), offset);
      });
      if (result < 0) result = -errno;
    }
    WriteRef write;
    write.length_bytes = rest.size();
    write.result = result;
    write.route = ring ? Route::kRing : Route::kSync;
    count(write, counted);
    if (result == -EINTR) continue;
    if (result <= 0) throw SystemError("write to " + file_.name(), result == 0 ? EIO : static_cast<int>(-result));
    done += static_cast<std::size_t>(result);
  }
  return true;
}

bool FileExecutor::allocate(int mode, const char* what, const FileRange& where) {
  const int failed = retried(
      [&] { return fallocate(file_.fd(), mode, static_cast<off_t>(where.offset), static_cast<off_t>(where.length)); });
  return failed == 0 || refuse(what);
}

bool FileExecutor::copy(const Operation& operation, const FileRange& where) {
  for (std::uint64_t done = 0; done < where.length;) {
    auto from = static_cast<off_t>(where.offset + done);
    auto to = static_cast<off_t>(model_.target(operation) + done);
    const ssize_t copied =
        retried([&] { return copy_file_range(file_.fd(), &from, file_.fd(), &to, where.length - done, 0); });
    // Part of the way it is no refusal: the file has changed.
    if (copied < 0 && done != 0) throw_errno("copy_file_range in " + file_.name());
    if (copied < 0) return refuse("copy_file_range");
    if (copied == 0) break;  // it met an end that is not there: the comparison says it
    done += static_cast<std::uint64_t>(copied);
  }
  return true;
}

FileMapping FileExecutor::map_shared(const FileRange& where) const {
  return {file_.fd(), where.offset, where.length, PROT_READ | PROT_WRITE, MAP_SHARED};
}

bool FileExecutor::map_write(const Operation& operation, const FileRange& where) {
  const FileMapping mapping = map_shared(where);
  if (mapping.bytes().empty()) return refuse("mmap(MAP_SHARED)");
  std::ranges::copy(model_.data(operation, where), mapping.bytes().begin());
  mapping.check("store through a mapping of " + file_.name());
  return true;
}

FileReport FileExecutor::read(const Operation& operation, const FileRange& where) {
  // One that reaches the end asks for more, as a reader does that does not know it.
  const bool to_end = where.offset + where.length == model_.bytes().size();
  std::vector<std::byte> found(where.length + (to_end ? kBehindEndBytes : 0));
  std::int64_t got;
  if (operation.ring && ring_ != nullptr) {
    do {
      got = through_ring(false, file_.fd(), found, static_cast<std::int64_t>(where.offset));
    } while (got == -EINTR);
    if (got < 0) throw SystemError("read " + file_.name(), static_cast<int>(-got));
  } else {
    got = retried([&] { return pread(file_.fd(), found.data(), found.size(), static_cast<off_t>(where.offset)); });
    if (got < 0) throw_errno("read " + file_.name());
  }
  // A short read is no finding of its own; a file that ends too early is one of the whole comparison.
  return compare_piece(where.offset, std::span(found).first(static_cast<std::size_t>(got)));
}

FileReport FileExecutor::map_read(const FileRange& where) {
  const std::uint64_t end = where.offset + where.length;
  if (file_.size_bytes() < end) return {};  // has no such pages
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const bool to_end = end == model_.bytes().size() && !stored_behind_;
  const std::uint64_t behind = to_end ? (page - end % page) % page : 0;
  const FileMapping mapping = map_shared({where.offset, where.length + behind});
  if (mapping.bytes().empty()) {
    refuse("mmap(MAP_SHARED)");
    return {};
  }
  FileReport report = compare_piece(where.offset, mapping.bytes().first(where.length));
  if (behind != 0 && report.tally.total() == 0) {
    const std::vector<std::byte> zeros(behind);
    Comparison comparison(file_.name(), identity_.tag.run, identity_.incompressible, findings_.wanted());
    comparison.add(end, mapping.bytes().subspan(where.length), zeros);
    report = comparison.report();
    for (Finding& finding : report.findings)
      finding.detail += ", behind the end of the file, where a mapping must show zeros";
  }
  mapping.check("load through a mapping of " + file_.name());
  return report;
}

FileReport FileExecutor::compare_piece(std::uint64_t offset, std::span<const std::byte> found) const {
  const std::span<const std::byte> model(model_.bytes());
  const std::size_t inside = std::min<std::size_t>(found.size(), model.size() - offset);
  Comparison comparison(file_.name(), identity_.tag.run, identity_.incompressible, findings_.wanted());
  comparison.add(offset, found.first(inside), model.subspan(offset, inside));
  comparison.add_behind_end(offset + inside, found.size() - inside);
  return comparison.report();
}

}  // namespace writecanary::probe
