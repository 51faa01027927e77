// Memory with a page that can be withheld, for a profile whose calls are held open (probe/trap/held_call.h).
#pragma once

#include <memory>

#include "probe/run/workspace.h"
#include "probe/trap/withheld_memory.h"

namespace writecanary::probe {

// Its stand-in, where userfaultfd cannot be had, is a file without a name in the run's directory. Throws SystemError.
std::unique_ptr<WithheldMemory> open_withheld(const Workspace& workspace, std::size_t bytes);

}  // namespace writecanary::probe
