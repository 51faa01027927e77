// A file of which every byte is known, with the two descriptors that requests go to and the position of each.
//
// The parts of the profile ring-io share it: each changes the file and the image by turns, and here is how the file is
// then judged. Used by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/profiles/ring_io/ring_requests.h"
#include "probe/run/content_check.h"
#include "probe/run/run_context.h"

namespace writecanary::probe {

class RingFile {
 public:
  // New and empty. `flags` are added to those of both descriptors: O_DIRECT. `positions`: whether check_position()
  // looks.
  RingFile(RunContext& context, RingRequests& requests, int flags, bool positions = true);
  // The rings let go of it first: FUSE and NFS only rename what is removed while it is open, and the run's folder could
  // not be removed.
  ~RingFile() { requests_.forget_files(); }
  RingFile(const RingFile&) = delete;
  RingFile& operator=(const RingFile&) = delete;

  const std::string& name() const { return file_.name(); }
  // A descriptor that no request uses.
  int fd() const { return file_.fd(); }
  std::uint64_t size_bytes() const { return image_.size(); }  // as it must be
  bool has_right_size() const { return file_.size_bytes() == image_.size(); }
  // Size and the bytes from there on, as the page cache has them: whether to judge the file now. Throws SystemError.
  bool is_right_from(std::uint64_t offset) const;
  std::span<const std::byte> image() const { return image_; }

  // Where a request of this case goes: the appending descriptor or the other one.
  RingTarget target(const RingCase& one) const;
  // Its offset: `wanted` for an explicit one; moves the descriptor's position there where that is what counts. Throws
  // SystemError.
  std::int64_t aim(const RingCase& one, std::uint64_t wanted);

  // The words of this generation: 0 for what is written to new places, others for what goes over it.
  void make(std::uint8_t generation, std::uint64_t offset, std::span<std::byte> out) const;
  // What was acknowledged there.
  void acknowledge(std::uint64_t offset, std::span<const std::byte> bytes);
  // After a request with this result: reports a position that is not where it must be, and puts it right. Throws
  // SystemError.
  void check_position(const RingCase& one, bool writes, std::uint64_t offset, std::int64_t result);
  // What a read of this case returned from there, kept for judge() if it is wrong.
  void compare_read(const std::string& how, std::uint64_t offset, std::span<const std::byte> found);

  // The whole file in both views, and what reads saw. Throws SystemError.
  void judge();
  // After a write that failed: what stands there was promised by nobody.
  void judge_without(std::uint64_t offset, std::uint64_t bytes);

 private:
  ContentView view() const;

  RunContext& context_;
  RingRequests& requests_;
  bool positions_count_;
  FileIdentity identity_;
  RunFile file_;
  std::array<Fd, 2> requested_;  // the second one with O_APPEND
  std::array<std::uint64_t, 2> positions_{};
  std::vector<std::byte> image_;
  std::vector<Finding> seen_;  // by reads
};

// One write of `bytes`, which lie in the requests' memory, at the end of the file, continued where it is short, with
// all that must hold after each. Counted, exposed if `exposed` says so of what came of it. A flag that the kernel
// refuses is left out. Throws SystemError when a write fails, after the file was judged.
using RingExposure = std::function<bool(const WriteRef&)>;
void append_by_case(RunContext& context, RingRequests& requests, RingFile& file, RingCase one,
                    std::span<std::byte> bytes, std::uint64_t alignment, const RingExposure& exposed,
                    const std::function<void()>& between = {});

}  // namespace writecanary::probe
