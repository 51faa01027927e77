// Retries of punted appends, counted by all writers of one file, so that a writer can know whose growth it sees.
//
// Lives in memory that processes share. A writer that dies within a retry leaves it begun for ever: then nobody knows.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <optional>

namespace writecanary::probe {

class Retries {
 public:
  // Around the time in which a worker may write to the file.
  void begin() { begun_.fetch_add(1); }
  void end() { ended_.fetch_add(1); }
  // When no retry is on its way: a number for none_since().
  std::optional<std::uint64_t> none_running() const {
    const std::uint64_t ended = ended_.load();
    const std::uint64_t begun = begun_.load();
    return begun == ended ? std::optional(begun) : std::nullopt;
  }
  // The same, after waiting a little for those that are on their way: they need no lock, and the limit is not low yet.
  std::optional<std::uint64_t> wait_for_none() const {
    const timespec pause{0, 20'000};
    for (int i = 0; i < kPausesMax && !none_running(); ++i) nanosleep(&pause, nullptr);
    return none_running();
  }
  // None has begun since.
  bool none_since(std::uint64_t number) const { return begun_.load() == number; }

 private:
  static constexpr int kPausesMax = 250;

  std::atomic<std::uint64_t> begun_{0}, ended_{0};
};

}  // namespace writecanary::probe
