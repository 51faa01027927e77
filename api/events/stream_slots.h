// How many event streams may be open at once. Each keeps a thread, and the threads are for everyone.
#pragma once

#include <atomic>
#include <memory>

namespace writecanary::api {

class StreamSlots {
 public:
  explicit StreamSlots(int slots) : free_(slots) {}

  // Holds a slot until the last copy is gone; null when none is free. Any thread.
  std::shared_ptr<void> take() {
    if (free_.fetch_sub(1) <= 0) {
      ++free_;
      return nullptr;
    }
    return {this, [](StreamSlots* slots) { ++slots->free_; }};
  }

 private:
  std::atomic<int> free_;
};

}  // namespace writecanary::api
