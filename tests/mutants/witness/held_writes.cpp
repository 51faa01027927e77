// Writes that are held in their middle: a page of their memory is under userfaultfd and comes only when the witness has
// done beside them what it wants.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include "core/base/error.h"
#include "tests/mutants/witness/trial_file.h"
#include "tests/mutants/witness/witness.h"

namespace writecanary::mutants {
namespace {

constexpr int kHeldWithinMs = 10'000;

// Memory of letters, one page of which is missing until it is given or taken away for good.
class Gate {
 public:
  Gate(std::int64_t length, std::int64_t missing_page)
      : memory_(length, 'b'), page_(memory_.data() + missing_page * kPage) {
    if (munmap(page_, kPage) != 0 ||
        mmap(page_, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
      throw_errno("mmap of the missing page");
    }
    fd_ = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
    uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
    uffdio_register area{};
    area.range = {.start = reinterpret_cast<std::uintptr_t>(page_), .len = kPage};
    area.mode = UFFDIO_REGISTER_MODE_MISSING;
    if (fd_ < 0 || ioctl(fd_, UFFDIO_API, &api) != 0 || ioctl(fd_, UFFDIO_REGISTER, &area) != 0)
      throw_errno("userfaultfd");
  }
  ~Gate() { close(fd_); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Writes all of the memory at `offset`; `beside` runs while that stands at the missing page. Then the page is given,
  // or, with `fail`, taken away, so that the write stops there. Returns what the write returned.
  ssize_t write(const TrialFile& file, std::int64_t offset, std::int64_t length, bool fail,
                const std::function<void()>& beside) {
    ssize_t result = -1;
    std::thread writer([&] { result = pwrite(file.fd(), memory_.data(), static_cast<std::size_t>(length), offset); });
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    const bool held = poll(&waiting, 1, kHeldWithinMs) == 1;
    if (held) beside();
    open(fail);
    writer.join();
    if (!held) throw std::runtime_error("the write was not held");
    return result;
  }

 private:
  void open(bool fail) {
    const auto start = reinterpret_cast<std::uintptr_t>(page_);
    if (fail) {
      munmap(page_, kPage);
      uffdio_range range{.start = start, .len = kPage};
      ioctl(fd_, UFFDIO_WAKE, &range);
      return;
    }
    const Memory letters(kPage, 'b');
    uffdio_copy copy{};
    copy.dst = start;
    copy.src = reinterpret_cast<std::uintptr_t>(letters.data());
    copy.len = kPage;
    if (ioctl(fd_, UFFDIO_COPY, &copy) != 0) throw_errno("UFFDIO_COPY");
  }

  Memory memory_;
  char* page_;
  int fd_ = -1;
};

// The neighbour's page, dirty over preallocated blocks when the write begins, is written back and dropped while it is
// held.
std::string neighbour(const std::string& directory) {
  constexpr std::int64_t kPages = 64;
  const TrialFile file(directory);
  file.allocate(0, 0, (kPages + 16) * kPage);
  file.write(kPages * kPage, kPage, 'a');
  Gate gate((kPages + 1) * kPage, kPages / 2);
  gate.write(file, 0, kPages * kPage + 100, false, [&] {
    if (sync_file_range(file.fd(), kPages * kPage, kPage,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0) {
      throw_errno("sync_file_range");
    }
    posix_fadvise(file.fd(), kPages * kPage, kPage, POSIX_FADV_DONTNEED);
  });
  return file.wrong(kPages * kPage + 100, kPage - 100, 'a');
}

std::string store_in_failing_write(const std::string& directory) {
  const TrialFile file(directory);
  file.truncate(16 * kPage);
  const Mapping mapping(file, 16 * kPage);
  Gate gate(16 * kPage, 2);
  gate.write(file, 0, 16 * kPage, true, [&] { mapping.store(8 * kPage, kPage, 's'); });
  mapping.sync();
  return file.wrong_direct(8 * kPage, kPage, 's');
}

std::string size_while_held(const std::string& directory) {
  const TrialFile file(directory);
  file.write(0, 100, 'a');
  const Mapping mapping(file, kPage);
  static_cast<void>(mapping.wrong(0, 100, 'a'));
  Gate gate(kPage, 0);
  std::string wrong;
  gate.write(file, 100, 1000, false, [&] {
    if (file.size() > 100) wrong = mapping.wrong(100, file.size() - 100, 'b');
  });
  return wrong;
}

constexpr std::array kWitnesses = {Witness{101, neighbour}, Witness{142, store_in_failing_write},
                                   Witness{164, size_while_held}, Witness{211, size_while_held}};

}  // namespace

std::span<const Witness> held_write_witnesses() { return kWitnesses; }

}  // namespace writecanary::mutants
