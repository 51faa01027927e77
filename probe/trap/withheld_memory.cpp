#include "probe/trap/withheld_memory.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

constexpr char kDevice[] = "/dev/userfaultfd";
constexpr int kFlags = O_CLOEXEC | O_NONBLOCK;

// A descriptor that catches faults of the kernel as well; none, and why, when this process may not have one.
Fd open_faults(std::string& refusal) {
  Fd made(static_cast<int>(syscall(SYS_userfaultfd, kFlags)));
  if (made) return made;
  const int refused = errno;
  if (refused == ENOSYS) {
    refusal = "userfaultfd: " + error_text(refused) +
              ": this kernel has none (CONFIG_USERFAULTFD is off), or a seccomp filter hides it";
    return made;
  }
  const Fd device(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (device) {
    made = Fd(ioctl(device.get(), USERFAULTFD_IOC_NEW, kFlags));
    if (made) return made;
  }
  refusal = "userfaultfd: " + error_text(refused) + ", and " + kDevice + ": " + error_text(errno) +
            ". Give this user access to " + kDevice +
            " (since Linux 6.1), set vm.unprivileged_userfaultfd = 1, or give the probe CAP_SYS_PTRACE; a seccomp "
            "filter may forbid all of them";
  return made;
}

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

std::unique_ptr<WithheldMemory> WithheldMemory::open(std::size_t bytes, const MakeFile& make_file) {
  std::string refusal;
  Fd faults = open_faults(refusal);
  if (!faults) return open_cold(bytes, make_file, std::move(refusal));
  std::unique_ptr<WithheldMemory> made(new WithheldMemory(bytes));
  made->map(-1);
  made->withhold_with(std::move(faults));
  return made;
}

std::unique_ptr<WithheldMemory> WithheldMemory::open_cold(std::size_t bytes, const MakeFile& make_file,
                                                          std::string why) {
  std::unique_ptr<WithheldMemory> made(new WithheldMemory(bytes));
  made->refusal_ = std::move(why);
  made->cold_ = make_file();
  if (ftruncate(made->cold_.get(), static_cast<off_t>(made->bytes_)) != 0) throw_errno("truncate the cold source");
  made->map(made->cold_.get());
  return made;
}

WithheldMemory::WithheldMemory(std::size_t bytes)
    : page_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
      bytes_(round_up(bytes, page_bytes_)),
      content_(bytes_) {}

WithheldMemory::~WithheldMemory() {
  if (memory_ != nullptr) munmap(memory_, bytes_ + kGuardPages * page_bytes_);
}

void WithheldMemory::map(int fd) {
  // First all of it out of bounds; what is usable is mapped over that.
  void* all = mmap(nullptr, bytes_ + kGuardPages * page_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw_errno("map memory");
  memory_ = static_cast<std::byte*>(all);
  const int flags = MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS : 0);
  if (mmap(memory_, bytes_, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED) throw_errno("map memory");
  madvise(memory_, bytes_, MADV_NOHUGEPAGE);  // pages come and go one by one; a kernel without huge pages refuses
}

void WithheldMemory::withhold_with(Fd faults) {
  uffdio_api api{};
  api.api = UFFD_API;
  if (ioctl(faults.get(), UFFDIO_API, &api) != 0) throw_errno("UFFDIO_API");
  uffdio_register range{};
  range.range = {reinterpret_cast<std::uintptr_t>(memory_), bytes_};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (ioctl(faults.get(), UFFDIO_REGISTER, &range) != 0) throw_errno("UFFDIO_REGISTER");
  faults_ = std::move(faults);
}

std::span<std::byte> WithheldMemory::fill(std::span<const std::byte> bytes, std::size_t lead, std::size_t withheld) {
  WC_CHECK(lead + bytes.size() <= bytes_ && withheld < bytes.size());
  lead_ = lead;
  filled_bytes_ = round_up(lead + bytes.size(), page_bytes_);
  std::ranges::copy(bytes, content_.begin() + static_cast<std::ptrdiff_t>(lead));
  if (madvise(memory_, bytes_, MADV_DONTNEED) != 0) throw_errno("drop memory");
  const std::size_t gap = (lead + withheld) / page_bytes_ * page_bytes_;
  if (faults_) {
    copy_in(0, gap);
    copy_in(gap + page_bytes_, filled_bytes_);
  } else {
    const auto length = static_cast<ssize_t>(filled_bytes_);
    if (pwrite(cold_.get(), content_.data(), filled_bytes_, 0) != length) throw_errno("write the cold source");
    if (fdatasync(cold_.get()) != 0) throw_errno("fdatasync the cold source");
    posix_fadvise(cold_.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  return {memory_ + lead, bytes.size()};
}

void WithheldMemory::take_away(std::size_t byte) {
  const std::size_t page = (lead_ + byte) / page_bytes_ * page_bytes_;
  WC_CHECK(page < filled_bytes_);
  if (madvise(memory_ + page, page_bytes_, MADV_DONTNEED) != 0) throw_errno("drop a page of memory");
}

std::optional<std::uintptr_t> WithheldMemory::wanted() const {
  uffd_msg message{};
  const ssize_t got = read(faults_.get(), &message, sizeof message);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (got != sizeof message) throw_errno("read userfaultfd");
  if (message.event != UFFD_EVENT_PAGEFAULT) return std::nullopt;
  return static_cast<std::uintptr_t>(message.arg.pagefault.address) / page_bytes_ * page_bytes_;
}

void WithheldMemory::give(std::uintptr_t page) {
  const std::size_t at = page - reinterpret_cast<std::uintptr_t>(memory_);
  WC_CHECK(at < bytes_ && at % page_bytes_ == 0);
  copy_in(at, at + page_bytes_);
}

void WithheldMemory::copy_in(std::size_t begin, std::size_t end) {
  const auto base = reinterpret_cast<std::uintptr_t>(memory_);
  while (begin < end) {
    uffdio_copy copy{};
    copy.dst = base + begin;
    copy.src = reinterpret_cast<std::uintptr_t>(content_.data()) + begin;
    copy.len = end - begin;
    if (ioctl(faults_.get(), UFFDIO_COPY, &copy) == 0) return;
    const int error = errno;
    if (copy.copy > 0) begin += static_cast<std::size_t>(copy.copy);  // the kernel stops between pages when it must
    if (error == EAGAIN) continue;
    if (error == EEXIST) {  // somebody was quicker with this page; who waits for it can go on
      uffdio_range awake{base + begin, page_bytes_};
      ioctl(faults_.get(), UFFDIO_WAKE, &awake);
      begin += page_bytes_;
      continue;
    }
    abandon();
    throw SystemError("UFFDIO_COPY", error);
  }
}

void WithheldMemory::abandon() noexcept {
  uffdio_range all{reinterpret_cast<std::uintptr_t>(memory_), bytes_};
  ioctl(faults_.get(), UFFDIO_UNREGISTER, &all);
}

}  // namespace writecanary::probe
