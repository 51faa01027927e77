// The oracle of RWF_NOWAIT: a non-blocking append of one writer grows the file by exactly what it returned.
//
// Pure, so that the self-test can try it without a kernel that breaks the contract.
#pragma once

#include <cstdint>
#include <optional>

#include "core/run/finding.h"

namespace writecanary::probe {

// A finding when the file, `size_before` bytes long before the call, grew by something else than the write's result (0
// for an error). The place is where the growth that nobody was told of begins, or where what was reported is not there.
// `file` stays empty.
std::optional<Finding> check_nowait(const WriteRef& write, std::uint64_t size_before, std::uint64_t size_after,
                                    std::uint64_t page_bytes);

}  // namespace writecanary::probe
