// What an operation that failed left of the executor's files. Nobody promised it, so that the model takes it over; the
// rest, and the twin, can still be judged.
#include <algorithm>
#include <vector>

#include "core/base/fd.h"
#include "probe/profiles/mixed_model/file_executor.h"

namespace writecanary::probe {
namespace {

bool changes_content(OpKind kind) {
  switch (kind) {
    case OpKind::kRead:
    case OpKind::kMapRead:
    case OpKind::kDirectRead:
    case OpKind::kSync:
    case OpKind::kEvict:
    case OpKind::kUnshare:
    case OpKind::kAllocateStopped:
    case OpKind::kStoreBehind:
    case OpKind::kStoreSynced:
    case OpKind::kDedupe:
      return false;
    default:
      return true;
  }
}

// From where on, and how far, content may have changed. What made a file longer may have made it longer by less.
FileRange touched(const Operation& failed, const FileRange& reach, std::uint64_t target, std::uint64_t size) {
  FileRange where = reach;
  if (failed.kind == OpKind::kCopyRange || failed.kind == OpKind::kCloneRange) where.offset = target;
  if (failed.kind == OpKind::kAllocate || failed.kind == OpKind::kTruncate) where.length = 0;
  const bool moves = failed.kind == OpKind::kCollapse || failed.kind == OpKind::kInsert;
  const std::uint64_t rest = size - std::min(size, where.offset);
  where.length = moves ? rest : std::min(where.length, rest);
  return where;
}

}  // namespace

void FileExecutor::take_over(const Operation& failed) {
  if (!changes_content(failed.kind)) return;
  const bool of_twin = failed.kind == OpKind::kClone || failed.kind == OpKind::kTwinWrite;
  const RunFile& file = of_twin ? twin_ : file_;
  const std::uint64_t size = file.size_bytes();
  const FileRange where = touched(failed, model_.reach(failed), model_.target(failed), size);
  std::vector<std::byte> found(where.length);
  found.resize(read_at(file.fd(), file.name(), where.offset, found));
  if (of_twin) {
    model_.take_over_twin(size, where.offset, found);
  } else {
    model_.take_over(size, where.offset, found);
  }
}

}  // namespace writecanary::probe
