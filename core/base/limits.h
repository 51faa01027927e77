// Every bound of the system in one place, each with its reason. Nothing here is configurable; what an operator may
// change is in the configuration, and stays below these.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace writecanary {

// A finding with its hex context is about 3 KiB; a line beyond this is a broken probe.
inline constexpr std::size_t kProtocolLineBytes = 64UL * 1024;
// Findings kept in full per run. Enough to see the shape of any bug; totals stay exact beyond it.
inline constexpr std::size_t kFindingsPerRun = 200;
// Damaged files of a run that are read again from the device, which costs time and wear.
inline constexpr std::uint64_t kDamagedLookedAtCold = 3;
// Context on either side of the first wrong byte: two cache lines tell what stood there.
inline constexpr std::size_t kHexContextBytes = 64;
// How often a probe reports. Four a second look live and cost nothing.
inline constexpr std::chrono::milliseconds kProgressInterval{250};
// Appenders on one file: more only wait for the inode lock. Also the reach of the writer field in the pattern.
inline constexpr std::uint32_t kWritersMax = 8;
// Commands waiting for the daemon's loop. More than this means that the loop is not keeping up: refuse.
inline constexpr std::size_t kMailboxCapacity = 64;
// Runs that wait per target. A person queues a few; a script that queues more should look at the answers.
inline constexpr std::size_t kQueuedRunsPerTarget = 16;
// Targets per daemon; bounds the series that one host exposes.
inline constexpr std::size_t kTargetsMax = 64;
// Events kept in memory for streams that catch up; older ones come from the database.
inline constexpr std::size_t kLiveEventsMax = 1024;
// A probe told to stop ends its write, verifies nothing more and removes its files: well below this.
inline constexpr std::chrono::milliseconds kStopGrace{3000};
// A system call that is held open goes on after this, whatever is still being done beside it: below kStopGrace.
inline constexpr std::chrono::milliseconds kHoldLimit{2000};
// After SIGKILL a process that still exists hangs in the kernel; it is reported as stuck after this.
inline constexpr std::chrono::milliseconds kKillGrace{2000};
// Time beyond its own limit that a run gets for set-up and the last verification.
inline constexpr std::chrono::seconds kDeadlineSlack{30};
// How long an HTTP request waits for the loop. The loop answers in microseconds or not at all.
inline constexpr std::chrono::milliseconds kCommandTimeout{2000};
// Request bodies are a few hundred bytes.
inline constexpr std::size_t kRequestBodyBytes = 64UL * 1024;
// Rows that one listing returns at most, and unless told otherwise.
inline constexpr int kPageLimitMax = 500;
inline constexpr int kPageLimitDefault = 50;
// Smallest memory that a run can work with: the probe itself plus one write.
inline constexpr std::uint64_t kMemoryBytesMin = 16ULL << 20;
inline constexpr std::uint64_t kMemoryBytesMax = 4ULL << 30;
// Longest run that a person or a schedule may ask for.
inline constexpr std::uint64_t kDurationMsMax = 24ULL * 3600 * 1000;

}  // namespace writecanary
