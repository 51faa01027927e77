// What the executor's operations covered: which state of the file each met, and under which name it counts.
#include <algorithm>

#include "probe/access/range_state.h"
#include "probe/profiles/mixed_model/file_executor.h"

namespace writecanary::probe {
namespace {

struct Covered {
  CoveredOperation operation;
  CoveredWay way;
};

Covered covered_by(const Operation& operation) {
  const CoveredWay way = operation.ring ? CoveredWay::kRing : CoveredWay::kPlain;
  switch (operation.kind) {
    case OpKind::kWrite:
      return {CoveredOperation::kWrite, way};
    case OpKind::kAppend:
      return {CoveredOperation::kAppend, way};
    case OpKind::kRead:
      return {CoveredOperation::kRead, way};
    case OpKind::kDirectWrite:
    case OpKind::kDirectParts:
      return {CoveredOperation::kWrite, CoveredWay::kDirect};
    case OpKind::kDirectRead:
      return {CoveredOperation::kRead, CoveredWay::kDirect};
    case OpKind::kTruncate:
      return {CoveredOperation::kTruncate, CoveredWay::kPlain};
    case OpKind::kAllocate:
    case OpKind::kAllocateStopped:
      return {CoveredOperation::kAllocate, CoveredWay::kPlain};
    case OpKind::kPunch:
      return {CoveredOperation::kPunch, CoveredWay::kPlain};
    case OpKind::kZeroRange:
      return {CoveredOperation::kZeroRange, CoveredWay::kPlain};
    case OpKind::kSync:
      return {CoveredOperation::kSync, CoveredWay::kPlain};
    case OpKind::kEvict:
      return {CoveredOperation::kEvict, CoveredWay::kPlain};
    case OpKind::kCopyRange:
      return {CoveredOperation::kCopyRange, CoveredWay::kPlain};
    case OpKind::kMapRead:
      return {CoveredOperation::kMappedRead, CoveredWay::kPlain};
    case OpKind::kMapWrite:
    case OpKind::kMapRewrite:
    case OpKind::kStoreBehind:
    case OpKind::kStoreSynced:
      return {CoveredOperation::kMappedWrite, CoveredWay::kPlain};
    case OpKind::kCollapse:
      return {CoveredOperation::kCollapse, CoveredWay::kPlain};
    case OpKind::kInsert:
      return {CoveredOperation::kInsert, CoveredWay::kPlain};
    case OpKind::kDedupe:
      return {CoveredOperation::kDedupe, CoveredWay::kPlain};
    case OpKind::kClone:
    case OpKind::kCloneRange:
      return {CoveredOperation::kClone, CoveredWay::kPlain};
    case OpKind::kUnshare:
      return {CoveredOperation::kUnshare, CoveredWay::kPlain};
    case OpKind::kRewrite:
    case OpKind::kStopped:
    case OpKind::kTwinWrite:
      break;
  }
  return {CoveredOperation::kWrite, CoveredWay::kPlain};
}

}  // namespace

CoveredStates FileExecutor::states_before(const Operation& operation, const FileRange& where) const {
  const bool of_twin = operation.kind == OpKind::kTwinWrite;
  const std::uint64_t size = of_twin ? model_.twin().size() : model_.bytes().size();
  FileRange range = where;
  switch (operation.kind) {
    case OpKind::kSync:
    case OpKind::kEvict:
      range = {0, size};
      break;
    case OpKind::kTruncate:
      range = {std::min(where.offset, size), std::max(where.offset, size) - std::min(where.offset, size)};
      break;
    case OpKind::kCopyRange:
    case OpKind::kCloneRange:
      range.offset = model_.target(operation);
      break;
    case OpKind::kRead:  // asks for more than there is
      if (where.offset + where.length == size) range.length += kBehindEndBytes;
      break;
    default:
      break;
  }
  return state_of(of_twin ? twin_.fd() : file_.fd(), range, size);
}

void FileExecutor::cover(const Operation& operation, const FileRange& where, CoveredStates met) {
  const bool of_all =
      operation.kind == OpKind::kTruncate || operation.kind == OpKind::kSync || operation.kind == OpKind::kEvict;
  if (!of_all && where.length == 0) return;  // it did nothing
  const Covered covered = covered_by(operation);
  meter_.cover(covered.operation, covered.way, met);
}

}  // namespace writecanary::probe
