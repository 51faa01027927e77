// Memory that the processes of one append-concurrent round share: their write logs, a lock around the moment when the
// limit is low, and a stop flag. It outlives a writer that is killed, so that what was acknowledged to it is known.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/run/finding.h"
#include "probe/trap/limit_lock.h"
#include "probe/trap/retries.h"

namespace writecanary::probe {

class SharedRound {
 public:
  static constexpr std::uint32_t kRecordsMax = 256;

  // Throws SystemError.
  static std::unique_ptr<SharedRound> make(std::uint32_t writers);
  ~SharedRound();

  LimitLock& limit_lock() { return shared_->limit_lock; }
  Retries& retries() { return shared_->retries; }
  std::atomic<bool>& stop() { return shared_->stop; }
  // Waits until all writers have come here, so that they begin together; or until stop.
  void meet();
  // By the writer itself, before it submits: what it is about to append, without a result.
  void intend(std::uint32_t writer, const WriteRef& write);
  // By the writer itself, after each result.
  void append(std::uint32_t writer, const WriteRef& write, bool exposed);
  // By the writer: its whole work. False if it threw anything; what that says is kept, as far as there is room, and
  // everybody else is told to stop.
  bool attempt(std::uint32_t writer, const std::function<void()>& work);

  struct Entry {
    WriteRef write;
    bool exposed;
  };
  // By the parent once the writer has ended. An append that the writer was in when it died comes last, with the result
  // -EINTR: it may or may not be in the file.
  std::vector<Entry> entries(std::uint32_t writer) const;
  // Why the writer ended early; empty if it did not.
  std::string failed(std::uint32_t writer) const { return shared_->logs[writer].why.data(); }

 private:
  struct Log {
    std::atomic<std::uint32_t> count{0};
    std::atomic<std::uint32_t> intended{0};  // count, and one for an append without a result
    std::array<char, 256> why{};             // ends with a zero; read once the writer has ended
    Entry entries[kRecordsMax];
  };
  struct Shared {
    LimitLock limit_lock;
    Retries retries;
    std::atomic<bool> stop{false};
    std::atomic<std::uint32_t> arrived{0};
    Log logs[kWritersMax];
  };

  SharedRound(Shared* shared, std::uint32_t writers) : shared_(shared), writers_(writers) {}
  Shared* shared_;  // in a shared mapping
  std::uint32_t writers_;
};

}  // namespace writecanary::probe
