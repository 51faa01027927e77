// A file of the run while it is written: removed by its destructor, unless the name was given up.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/error.h"
#include "probe/run/meter.h"
#include "probe/run/workspace.h"

namespace writecanary::probe {

class RunFile {
 public:
  // New and empty; see Workspace::create(). The workspace must outlive the file.
  RunFile(const Workspace& workspace, std::string name, int flags)
      : workspace_(workspace), name_(std::move(name)), fd_(workspace.create(name_, flags)) {}
  ~RunFile();
  RunFile(const RunFile&) = delete;
  RunFile& operator=(const RunFile&) = delete;

  const std::string& name() const { return name_; }
  int fd() const { return fd_.get(); }
  std::uint64_t size_bytes() const { return file_size(fd(), name_); }

 private:
  const Workspace& workspace_;
  std::string name_;
  Fd fd_;
};

// A write that failed; what was acknowledged before is in the file.
class WriteFailed : public SystemError {
 public:
  WriteFailed(const std::string& name, std::uint64_t offset, int error_number)
      : SystemError("write to " + name + " at " + std::to_string(offset), error_number), offset_(offset) {}
  // From here on nothing of it was acknowledged.
  std::uint64_t offset() const { return offset_; }

 private:
  std::uint64_t offset_;
};

// Writes all of `data` there with pwrite(2) and counts each call. Throws WriteFailed; `name` is for its text.
void write_counted(Meter& meter, int fd, const std::string& name, std::uint64_t offset,
                   std::span<const std::byte> data);

}  // namespace writecanary::probe
