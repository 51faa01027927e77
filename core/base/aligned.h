// Memory at a multiple of a power of two, as direct I/O and large pages want it.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace writecanary {

// Its content is undefined at first. T is a plain type.
template <typename T>
class AlignedBuffer {
 public:
  // `bytes` must be a multiple of `alignment`. Throws std::bad_alloc.
  AlignedBuffer(std::size_t alignment, std::size_t bytes)
      : memory_(static_cast<T*>(std::aligned_alloc(alignment, bytes))), size_(bytes / sizeof(T)) {
    if (!memory_) throw std::bad_alloc();
  }
  std::span<T> span() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* memory) const noexcept { std::free(memory); }
  };
  std::unique_ptr<T[], Free> memory_;
  std::size_t size_;
};

}  // namespace writecanary
