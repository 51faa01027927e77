#include "probe/run/run_file.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"
#include "core/base/retried.h"

namespace writecanary::probe {

RunFile::~RunFile() {
  try {
    workspace_.remove(name_);
  } catch (const SystemError&) {  // the directory is removed with all in it at the end of the run
  }
}

void write_counted(Meter& meter, int fd, const std::string& name, std::uint64_t offset,
                   std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t returned = retried([&] { return pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)); });
    const int error = errno;
    WriteRef write;
    write.length_bytes = data.size();
    write.result = returned < 0 ? -error : returned;
    meter.count(write, false);
    if (returned < 0) throw WriteFailed(name, offset, error);
    offset += static_cast<std::uint64_t>(returned);
    data = data.subspan(static_cast<std::size_t>(returned));
  }
}

}  // namespace writecanary::probe
