// The run's directory on the tested filesystem: <path>/.writecanary/run-<id>, and the rules that keep it safe.
//
// A canary must never harm the host it guards: it writes only in its own directory, refuses when that is not on the
// expected mount or belongs to somebody else, keeps a second canary out with flock, names files O_EXCL, watches free
// space, and removes all it made. It goes from one open directory to the next and never by path, so that nobody can
// lead it elsewhere by renaming a directory on the way. Only the probe touches the filesystem; the daemon must not (it
// may hang).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "core/base/fd.h"
#include "core/run/run_spec.h"

namespace writecanary::probe {

// Raised when the rules forbid the run: wrong mount, no space, another canary. The text carries the way out.
struct WorkspaceRefusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Workspace {
 public:
  // Enters and locks <path>/.writecanary (made when missing), removes what dead runs left there. Throws
  // WorkspaceRefusal or SystemError.
  explicit Workspace(const RunSpec& spec);
  // Removes the run's directory with everything in it, and the canary's own directory when it is empty and ours.
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Makes the run's directory; before that only dead runs were swept.
  void make_run_directory(const std::string& run_id);

  const FilesystemFacts& filesystem() const { return filesystem_; }
  // A path to the run's directory that always leads there, for what takes nothing but paths.
  std::string directory() const;
  std::uint64_t page_bytes() const { return page_bytes_; }
  // Of the filesystem, as far as its blocks are larger than pages; at most 64 KiB, since network filesystems call other
  // things a block. Throws SystemError.
  std::uint64_t block_bytes() const;

  // A new empty file in the run's directory, O_RDWR|O_CREAT|O_EXCL plus the flags. Throws SystemError.
  Fd create(const std::string& name, int flags) const;
  // The same file again. Throws SystemError.
  Fd open(const std::string& name, int flags) const;
  void remove(const std::string& name) const;

  // A directory beside the run's, made when missing. It outlives the run: no sweep touches it. Throws SystemError.
  Fd lasting_directory(const std::string& name) const;

  // False when less would remain free on the filesystem than the spec demands; the text says the figures.
  bool enough_space(std::string& why) const;

 private:
  void check_mount(const RunSpec& spec) const;
  Fd open_home() const;
  void check_home(const Fd& home, bool is_new) const;
  void lock();
  void sweep() const;
  std::string home() const;

  std::uint64_t min_free_bytes_;
  double min_free_percent_;
  std::uint64_t page_bytes_;
  Fd root_fd_;        // <path>
  std::string path_;  // of it, without symbolic links, for texts
  FilesystemFacts filesystem_;
  std::string run_;  // name of the run's directory, empty before make_run_directory
  Fd home_fd_, lock_fd_, directory_fd_;
};

}  // namespace writecanary::probe
