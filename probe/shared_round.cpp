#include "probe/shared_round.h"

#include <sys/mman.h>

#include <cerrno>
#include <ctime>
#include <new>

#include "core/error.h"

namespace writecanary::probe {

WindowLock::WindowLock() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

WindowLock::~WindowLock() { pthread_mutex_destroy(&mutex_); }

void WindowLock::lock() {
  const int result = pthread_mutex_lock(&mutex_);
  if (result == EOWNERDEAD) {
    pthread_mutex_consistent(&mutex_);
  } else {
    WC_CHECK(result == 0);
  }
}

void WindowLock::unlock() { WC_CHECK(pthread_mutex_unlock(&mutex_) == 0); }

std::unique_ptr<SharedRound> SharedRound::make(std::uint32_t writers) {
  WC_CHECK(writers <= kWritersMax);
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw_errno("map the memory that the writers share");
  return std::unique_ptr<SharedRound>(new SharedRound(new (memory) Shared, writers));
}

SharedRound::~SharedRound() {
  shared_->~Shared();
  munmap(shared_, sizeof(Shared));
}

void SharedRound::meet() {
  shared_->arrived.fetch_add(1);
  const timespec pause{0, 20'000};
  while (shared_->arrived.load() < writers_ && !shared_->stop.load()) nanosleep(&pause, nullptr);
}

void SharedRound::append(std::uint32_t writer, const WriteRef& write, bool exposed) {
  Log& log = shared_->logs[writer];
  const std::uint32_t count = log.count.load(std::memory_order_relaxed);
  WC_CHECK(count < kRecordsMax);
  log.entries[count] = {write, exposed};
  log.count.store(count + 1, std::memory_order_release);
}

std::vector<SharedRound::Entry> SharedRound::entries(std::uint32_t writer) const {
  const Log& log = shared_->logs[writer];
  return {log.entries, log.entries + log.count.load(std::memory_order_acquire)};
}

}  // namespace writecanary::probe
