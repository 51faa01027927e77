// Bounds of requests and answers that concern nobody but the API. The others are core/base/limits.h.
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
// Longest wait for runs to end within the request that asked for them (Prefer: wait). Longer than most clients and
// proxies wait for an answer.
inline constexpr std::int64_t kPreferWaitSecondsMax = 300;
// Alerts in one message of Alertmanager; each is a command to the loop.
inline constexpr std::size_t kHookAlertsMax = 64;
// The call with the most parameters has ten.
inline constexpr std::size_t kQueryParametersMax = 64;
// Wrong fields and parameters that one answer names; beyond this they are counted.
inline constexpr std::size_t kFieldErrorsMax = 32;
// Threads that serve requests; those of them that streams (events, evidence archives) may take.
inline constexpr std::size_t kThreadsMax = 48;
inline constexpr int kStreamsMax = 32;
// Threads that serve nothing but /metrics, /healthz and /readyz, whatever the others are busy with.
inline constexpr std::size_t kVitalThreadsMax = 2;
// Threads for TLS handshakes, of which each is some milliseconds of CPU time.
inline constexpr std::size_t kTlsThreadsMax = 2;
// Connections, together and from one address; beyond this the longest waiting one is closed. Below FD_SETSIZE and the
// usual limit of 1024 descriptors, with room for the database and the probes.
inline constexpr std::size_t kConnectionsMax = 512;
inline constexpr std::size_t kConnectionsPerAddress = 256;
// Changes that one address may ask for, at once and in the long run. Setting up a fleet by script stays below it.
inline constexpr double kChangesBurst = 60;
inline constexpr double kChangesPerSecond = 5;
// Requests that one address may make that change nothing. A person with the page open needs a few a second, all at once
// when something happens; the rate is configured, and so many seconds of it can be asked for at once.
inline constexpr double kReadsPerSecond = 100;
inline constexpr double kReadsBurstSeconds = 10;
// Of /metrics, /healthz and /readyz, apart: whoever asks too much else from the same address must not blind a scraper.
inline constexpr double kVitalReadsBurst = 100;
inline constexpr double kVitalReadsPerSecond = 20;
// Refused changes that are recorded one by one. Each costs the loop a synced write; beyond this they are counted.
inline constexpr double kRefusalsBurst = 100;
inline constexpr double kRefusalsPerSecond = 5;
// Of the path in the audit; none of ours has more.
inline constexpr std::size_t kAuditPathBytesMax = 200;
// Of requests that are not complete and answers that are not taken, over all connections.
inline constexpr std::size_t kBufferedBytesMax = 16UL << 20;
// Incidents that the status counts. A host has some for each kernel that it ever ran, profile and kind.
inline constexpr int kIncidentsCountedMax = 10'000;
// Days of each incident of a listing.
inline constexpr std::size_t kIncidentDaysListed = 31;
// Incidents that one request acknowledges.
inline constexpr int kIncidentsAckedMax = 500;

// Evidence in one archive: files of one run, which has its own, smaller bound.
inline constexpr std::uint64_t kEvidenceBytesMax = 256ULL << 20;
inline constexpr std::size_t kEvidenceFilesMax = 256;

// Points of a chart: more than a screen has columns for is noise. And the longest time that is summed up in one answer,
// because every run in between is read.
inline constexpr std::int64_t kActivityStepsMax = 500;
inline constexpr std::int64_t kActivitySecondsMax = 92LL * 24 * 3600;
// Runs on one page of strips: some 800 KiB. More of each target and profile means fewer of them on a page.
inline constexpr std::size_t kHistoryRunsMax = 10'000;
// Segments and writes of a damaged file in one answer: what a picture can show.
inline constexpr std::size_t kPictureItemsMax = 400;

}  // namespace writecanary::api
