#include "probe/trap/limit_lock.h"

#include <cerrno>

#include "core/base/error.h"

namespace writecanary::probe {

LimitLock::LimitLock() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

LimitLock::~LimitLock() { pthread_mutex_destroy(&mutex_); }

void LimitLock::lock() {
  const int result = pthread_mutex_lock(&mutex_);
  if (result == EOWNERDEAD) {
    pthread_mutex_consistent(&mutex_);
  } else {
    WC_CHECK(result == 0);
  }
}

void LimitLock::unlock() { WC_CHECK(pthread_mutex_unlock(&mutex_) == 0); }

}  // namespace writecanary::probe
