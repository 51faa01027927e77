// A lock between processes around the moment when the memory limit is low.
#pragma once

#include <pthread.h>

namespace writecanary::probe {

// At most one process at a time has the limit low: the others' blocking retries would meet it. Survives the death of
// its holder.
class LimitLock {
 public:
  LimitLock();
  ~LimitLock();
  LimitLock(const LimitLock&) = delete;
  LimitLock& operator=(const LimitLock&) = delete;
  void lock();
  void unlock();

 private:
  pthread_mutex_t mutex_;
};

}  // namespace writecanary::probe
