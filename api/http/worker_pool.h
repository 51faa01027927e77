// Threads for requests. Grows with need up to a bound, because an event stream keeps its thread as long as it lasts.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace writecanary::api {

class WorkerPool {
 public:
  // `name` is what the system calls the threads; at most 15 characters.
  WorkerPool(const char* name, std::size_t threads_max, std::size_t waiting_max)
      : name_(name), threads_max_(threads_max), waiting_max_(waiting_max) {}
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when every thread is busy and as many jobs wait as may; the job is then dropped. Any thread.
  bool submit(std::function<void()> job);
  // Drops jobs that wait, lets running ones end, joins. Idempotent.
  void stop();

 private:
  void work();

  const char* const name_;
  const std::size_t threads_max_;
  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  std::vector<std::thread> threads_;        // guarded by mutex_
  std::size_t idle_ = 0;                    // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
};

}  // namespace writecanary::api
