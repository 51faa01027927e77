// Zeros that were asked for: what stands in a file where it was made longer (ftruncate, fallocate) between two writes.
//
// Zeros carry no mark of their own, so they are told by length and order. It does not decide whether they stand where
// they may: the classifier treats them as any other writer's bytes.
#pragma once

#include <vector>

#include "probe/pattern/file_log.h"
#include "probe/verify/segment.h"

namespace writecanary::probe {

// The segments with the log's extensions taken out of the zeros, in file order: what is as long as the next extension
// becomes own bytes of the extender, a shorter stretch or the rest of a longer one stays what it is. Pure.
std::vector<Segment> with_extensions(std::vector<Segment> segments, const FileLog& log);

}  // namespace writecanary::probe
