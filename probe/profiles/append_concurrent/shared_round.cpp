#include "probe/profiles/append_concurrent/shared_round.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <new>
#include <string_view>

#include "core/base/error.h"

namespace writecanary::probe {

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

void SharedRound::intend(std::uint32_t writer, const WriteRef& write) {
  Log& log = shared_->logs[writer];
  const std::uint32_t count = log.count.load(std::memory_order_relaxed);
  WC_CHECK(count < kRecordsMax);
  log.entries[count] = {write, false};
  log.entries[count].write.result = -EINTR;
  log.intended.store(count + 1, std::memory_order_release);
}

void SharedRound::append(std::uint32_t writer, const WriteRef& write, bool exposed) {
  Log& log = shared_->logs[writer];
  const std::uint32_t count = log.count.load(std::memory_order_relaxed);
  WC_CHECK(count < kRecordsMax);
  log.entries[count] = {write, exposed};
  log.count.store(count + 1, std::memory_order_release);
}

bool SharedRound::attempt(std::uint32_t writer, const std::function<void()>& work) {
  const auto fail = [&](std::string_view what) {
    auto& why = shared_->logs[writer].why;
    what.copy(why.data(), why.size() - 1);
    shared_->stop = true;
    return false;
  };
  try {
    work();
    return true;
  } catch (const std::exception& error) {
    return fail(*error.what() == '\0' ? "an exception without a word" : error.what());
  } catch (...) {
    return fail("an exception that is none of the standard library's");
  }
}

std::vector<SharedRound::Entry> SharedRound::entries(std::uint32_t writer) const {
  const Log& log = shared_->logs[writer];
  const std::uint32_t count = log.count.load(std::memory_order_acquire);
  return {log.entries, log.entries + std::max(count, log.intended.load(std::memory_order_acquire))};
}

}  // namespace writecanary::probe
