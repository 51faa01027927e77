// A file that two threads use at the same time and of which every byte's right content is known all the same: one of
// them alone changes it, and what the other one does changes nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probe/memory/file_mapping.h"
#include "probe/run/file_range.h"
#include "probe/run/run_context.h"
#include "probe/verify/content/content_view.h"

namespace writecanary::probe {

class RaceFile {
 public:
  // New, of this size, a multiple of the block; all of it is a hole. The context must outlive it.
  RaceFile(RunContext& context, std::uint64_t size_bytes, std::uint64_t turn);

  // ---- for both threads
  int fd() const { return file_.fd(); }
  const std::string& name() const { return file_.name(); }
  std::uint64_t size() const { return image_.size(); }
  std::uint64_t page() const { return context_.workspace.page_bytes(); }
  std::uint64_t block() const { return context_.workspace.block_bytes(); }
  // None where the filesystem has no direct I/O.
  int direct_fd() const { return direct_.get(); }
  std::uint64_t direct_unit() const { return direct_unit_; }
  // With O_DIRECT, what was promised. What the call returned, or a negative errno; nothing is counted.
  std::int64_t write_promised(FileRange where) const;

  // ---- for the thread that changes the file. All throw SystemError; false means that it is refused here.
  // All of it, in one of the writes that the run is to make. Of other writes only the bytes count.
  void fill();
  void write(FileRange where);
  bool punch(FileRange where);
  bool allocate(FileRange where);
  void sync();
  // How long the last one took; 0 before the first.
  SteadyTime::duration last_sync() const { return last_sync_; }
  bool evict();
  // Stores through a mapping, which stays until unmap(), and which a page is in once it was stored to.
  bool map();
  void unmap() { mapping_ = FileMapping(); }
  void store(FileRange where);
  // New bytes that both threads are about to write there themselves, with write_promised().
  void promise(FileRange where) { renew(where); }
  std::uint64_t random(std::uint64_t below);

  void count_write(FileRange where, std::int64_t result);

  // What must stand in it.
  ContentView view() const;

 private:
  // Puts words that name a new generation into the image, and returns them.
  std::span<const std::byte> renew(FileRange where);
  bool fallocate_as(int mode, FileRange where);

  RunContext& context_;
  FileIdentity identity_;
  RunFile file_;
  Fd direct_;
  std::uint64_t direct_unit_ = 0;
  std::vector<std::byte> image_;
  FileMapping mapping_;
  SteadyTime::duration last_sync_{};
  std::uint8_t generation_ = 0;
  std::uint64_t drawn_ = 0;
};

}  // namespace writecanary::probe
