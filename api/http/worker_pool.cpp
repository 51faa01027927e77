#include "api/http/worker_pool.h"

#include <pthread.h>

#include <utility>

namespace writecanary::api {

bool WorkerPool::submit(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    const bool needs_thread = jobs_.size() >= idle_;
    if (stopping_ || (needs_thread && threads_.size() == threads_max_ && jobs_.size() >= waiting_max_)) return false;
    jobs_.push_back(std::move(job));
    if (needs_thread && threads_.size() < threads_max_) threads_.emplace_back([this] { work(); });
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::stop() {
  std::vector<std::thread> threads;
  std::deque<std::function<void()>> dropped;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    dropped.swap(jobs_);
  }
  changed_.notify_all();
  for (auto& thread : threads) thread.join();
}

void WorkerPool::work() {
  ::pthread_setname_np(::pthread_self(), name_);
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (stopping_) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds goes before the thread counts as idle
    lock.lock();
  }
}

}  // namespace writecanary::api
