// A lock between processes around the moment when the memory limit is low.
#pragma once

#include <pthread.h>

namespace writecanary::probe {

// At most one process at a time has the limit low: the others' blocking retries would meet it. Survives the death of
// its holder.
class WindowLock {
 public:
  WindowLock();
  ~WindowLock();
  WindowLock(const WindowLock&) = delete;
  WindowLock& operator=(const WindowLock&) = delete;
  void lock();
  void unlock();

 private:
  pthread_mutex_t mutex_;
};

}  // namespace writecanary::probe
