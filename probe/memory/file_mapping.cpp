#include "probe/memory/file_mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

// Mappings at the same time: a few of each thread of a probe. The handler looks at all of them.
constexpr std::size_t kMappingsMax = 64;

// One mapping as the handler sees it. `begin` is published last and withdrawn first.
struct Slot {
  std::atomic<std::uintptr_t> begin = 0;  // 0: free
  std::atomic<std::size_t> length = 0;
  std::atomic<bool> lost = false;
};

std::array<Slot, kMappingsMax> slots;
std::mutex slots_mutex;  // for whoever takes a slot
std::uintptr_t page_bytes = 0;

Slot* slot_of(std::uintptr_t address) {
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin != 0 && address >= begin && address - begin < slot.length.load(std::memory_order_relaxed)) return &slot;
  }
  return nullptr;
}

// Runs at the access, in its thread. Only system calls and lock-free atomics.
void on_bus_error(int, siginfo_t* info, void*) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Slot* slot = info->si_code > 0 ? slot_of(address) : nullptr;        // else somebody sent it
  auto* page = reinterpret_cast<void*>(address & ~(page_bytes - 1));  // NOLINT(performance-no-int-to-ptr)
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (slot == nullptr || mmap(page, page_bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) == MAP_FAILED) {
    // Not ours: the access is made again, or the signal sent, and the process ends as it would have.
    signal(SIGBUS, SIG_DFL);
    if (info->si_code <= 0) raise(SIGBUS);
  } else {
    slot->lost.store(true, std::memory_order_release);
  }
  errno = error;
}

void catch_bus_errors() {
  page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  WC_CHECK(sigaction(SIGBUS, &action, nullptr) == 0);
}

std::size_t take_slot(void* memory, std::size_t length) {
  const std::lock_guard lock(slots_mutex);
  for (std::size_t index = 0; index < slots.size(); ++index) {
    Slot& slot = slots[index];
    if (slot.begin.load(std::memory_order_relaxed) != 0) continue;
    slot.length.store(length, std::memory_order_relaxed);
    slot.lost.store(false, std::memory_order_relaxed);
    slot.begin.store(reinterpret_cast<std::uintptr_t>(memory), std::memory_order_release);
    return index;
  }
  check_failed("a free slot for a mapping", __FILE__, __LINE__);
}

}  // namespace

FileMapping::FileMapping(int fd, std::uint64_t offset, std::size_t length, int protection, int flags) {
  static std::once_flag caught;
  std::call_once(caught, catch_bus_errors);
  if (length == 0) return;
  const std::uint64_t lead = offset % page_bytes;
  void* memory = mmap(nullptr, lead + length, protection, flags, fd, static_cast<off_t>(offset - lead));
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  length_ = lead + length;
  bytes_ = {static_cast<std::byte*>(memory) + lead, length};
  slot_ = take_slot(memory_, (length_ + page_bytes - 1) / page_bytes * page_bytes);
}

FileMapping::~FileMapping() {
  if (memory_ == nullptr) return;
  slots[slot_].begin.store(0, std::memory_order_release);
  munmap(memory_, length_);
}

bool FileMapping::lost_a_page() const {
  return memory_ != nullptr && slots[slot_].lost.load(std::memory_order_acquire);
}

void FileMapping::check(const std::string& tried) const {
  if (!lost_a_page()) return;
  throw SystemError(tried + ": the filesystem could not give a page (SIGBUS): no space is left on it, or an I/O error",
                    EIO);
}

}  // namespace writecanary::probe
