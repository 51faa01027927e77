// Bounds of requests and answers that concern nobody but the API. The others are core/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace writecanary::api {

// A sentence or two by a person.
inline constexpr std::size_t kNoteBytesMax = 2000;
inline constexpr std::size_t kNameBytesMax = 128;
// What Stripe and the IETF draft allow, near enough.
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;
// Ten times what a run of a day does; a bound only so that arithmetic on it cannot overflow.
inline constexpr std::uint64_t kWritesMax = 1'000'000'000;
// Shorter runs are all set-up.
inline constexpr double kDurationSecondsMin = 0.1;
// Alerts in one message of Alertmanager; each is a command to the loop.
inline constexpr std::size_t kHookAlertsMax = 64;
// Threads for connections. Streams may take half of them.
inline constexpr std::size_t kThreadsMax = 64;
inline constexpr int kStreamsMax = 32;
// Connections that wait for a thread; beyond this they are closed at once.
inline constexpr std::size_t kWaitingConnectionsMax = 64;
// Evidence in one archive: files of one run, which has its own, smaller bound.
inline constexpr std::uint64_t kEvidenceBytesMax = 256ULL << 20;
inline constexpr std::size_t kEvidenceFilesMax = 256;

// Points of a chart: more than a screen has columns for is noise. And the longest time that is summed up in one answer,
// because every run in between is read.
inline constexpr std::int64_t kActivityStepsMax = 500;
inline constexpr std::int64_t kActivitySecondsMax = 92LL * 24 * 3600;
// Segments and writes of a damaged file in one answer: what a picture can show.
inline constexpr std::size_t kPictureItemsMax = 400;

}  // namespace writecanary::api
