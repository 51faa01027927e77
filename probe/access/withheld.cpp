#include "probe/access/withheld.h"

namespace writecanary::probe {

std::unique_ptr<WithheldMemory> open_withheld(const Workspace& workspace, std::size_t bytes) {
  constexpr char kName[] = "withheld";
  return WithheldMemory::open(bytes, [&] {
    Fd made = workspace.create(kName, 0);
    workspace.remove(kName);
    return made;
  });
}

}  // namespace writecanary::probe
