#include "probe/run/emitter.h"

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::probe {

void Emitter::send(const Event& event) {
  if (broken_) return;
  try {
    write_all(fd_, encode(event) + "\n");
  } catch (const SystemError&) {
    broken_ = true;
  }
}

}  // namespace writecanary::probe
