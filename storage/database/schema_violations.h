// Version 10: the verdict "violation", which runs of earlier versions get too.
//
// A run whose findings are all torn appends or broken RWF_NOWAIT contracts was "corrupt"; so were the sums of such
// runs. A sum of both kinds of runs is taken apart by the runs that are still there: of those that retention has
// removed nobody knows which were which, so they stay "corrupt".
#pragma once

namespace writecanary::storage {

inline constexpr const char* kSchemaViolations = R"sql(
UPDATE runs SET verdict = 'violation'
WHERE verdict = 'corrupt' AND tally <> '{}'
  AND NOT EXISTS (SELECT 1 FROM json_each(runs.tally) WHERE key NOT IN ('torn', 'nowait_contract'));
UPDATE totals SET verdict = 'violation'
WHERE verdict = 'corrupt' AND tally <> '{}'
  AND NOT EXISTS (SELECT 1 FROM json_each(totals.tally) WHERE key NOT IN ('torn', 'nowait_contract'));

CREATE TEMP TABLE moved AS
SELECT r.target, r.profile, r.kernel_release, count(*) AS runs, sum(r.writes) AS writes,
       sum(r.inline_writes) AS inline_writes, sum(r.punted) AS punted, sum(r.partial) AS partial,
       sum(r.exposures) AS exposures, sum(r.short_results) AS short_results, sum(r.cqe_enomem) AS cqe_enomem,
       sum(r.bytes_written) AS bytes_written, sum(r.bytes_verified) AS bytes_verified, sum(r.files) AS files,
       sum(r.limit_hits) AS limit_hits, sum(r.oom_kills) AS oom_kills, sum(r.disarmed) AS disarmed,
       sum(r.files_cold) AS files_cold, min(coalesce(r.started_at_ms, r.finished_at_ms)) AS first_seen_ms,
       max(r.finished_at_ms) AS last_seen_ms
FROM runs r
JOIN totals t ON t.target = r.target AND t.profile = r.profile AND t.kernel_release = r.kernel_release
             AND t.verdict = 'corrupt'
WHERE r.verdict = 'violation' GROUP BY 1, 2, 3;
CREATE TEMP TABLE moved_kinds AS
SELECT r.target, r.profile, r.kernel_release, k.key AS kind, sum(json_extract(k.value, '$.count')) AS count,
       sum(json_extract(k.value, '$.bytes')) AS bytes
FROM runs r JOIN moved USING (target, profile, kernel_release), json_each(r.tally) k
WHERE r.verdict = 'violation' GROUP BY 1, 2, 3, 4;
CREATE TEMP TABLE last_ends AS -- the columns beside max() are of the same row
SELECT r.target, r.profile, r.kernel_release, r.verdict, r.id AS run_id, r.finished_at_ms AS at_ms,
       max(e.id) AS event_id
FROM runs r JOIN moved USING (target, profile, kernel_release)
JOIN events e ON e.run_id = r.id AND e.type = 'run.finished'
WHERE r.verdict IN ('corrupt', 'violation') GROUP BY 1, 2, 3, 4;

INSERT INTO totals (target, profile, kernel_release, verdict, runs, writes, inline_writes, punted, partial, exposures,
  short_results, cqe_enomem, bytes_written, bytes_verified, files, limit_hits, oom_kills, disarmed, files_cold, tally,
  first_seen_ms, last_seen_ms, last_finished_at_ms, last_run_id, last_event_id)
SELECT m.target, m.profile, m.kernel_release, 'violation', m.runs, m.writes, m.inline_writes, m.punted, m.partial,
  m.exposures, m.short_results, m.cqe_enomem, m.bytes_written, m.bytes_verified, m.files, m.limit_hits, m.oom_kills,
  m.disarmed, m.files_cold,
  (SELECT json_group_object(k.kind, json_object('count', k.count, 'bytes', k.bytes)) FROM moved_kinds k
   WHERE (k.target, k.profile, k.kernel_release) = (m.target, m.profile, m.kernel_release)),
  m.first_seen_ms, m.last_seen_ms, coalesce(l.at_ms, m.last_seen_ms), coalesce(l.run_id, 0), coalesce(l.event_id, 0)
FROM moved m LEFT JOIN last_ends l ON l.verdict = 'violation'
  AND (l.target, l.profile, l.kernel_release) = (m.target, m.profile, m.kernel_release);

UPDATE totals SET
  runs = totals.runs - m.runs, writes = totals.writes - m.writes,
  inline_writes = totals.inline_writes - m.inline_writes, punted = totals.punted - m.punted,
  partial = totals.partial - m.partial, exposures = totals.exposures - m.exposures,
  short_results = totals.short_results - m.short_results, cqe_enomem = totals.cqe_enomem - m.cqe_enomem,
  bytes_written = totals.bytes_written - m.bytes_written, bytes_verified = totals.bytes_verified - m.bytes_verified,
  files = totals.files - m.files, limit_hits = totals.limit_hits - m.limit_hits,
  oom_kills = totals.oom_kills - m.oom_kills, disarmed = totals.disarmed - m.disarmed,
  files_cold = totals.files_cold - m.files_cold,
  tally = (
    SELECT json_group_object(k.key, json_object(
        'count', json_extract(k.value, '$.count') - coalesce(g.count, 0),
        'bytes', json_extract(k.value, '$.bytes') - coalesce(g.bytes, 0)))
    FROM json_each(totals.tally) k
    LEFT JOIN moved_kinds g ON g.kind = k.key
      AND (g.target, g.profile, g.kernel_release) = (totals.target, totals.profile, totals.kernel_release)
    WHERE json_extract(k.value, '$.count') > coalesce(g.count, 0))
FROM moved m
WHERE totals.verdict = 'corrupt'
  AND (totals.target, totals.profile, totals.kernel_release) = (m.target, m.profile, m.kernel_release);

-- A sum whose last run went: the last one of those that stay, as far as one is known.
UPDATE totals SET last_run_id = 0, last_event_id = 0
WHERE verdict = 'corrupt' AND last_run_id IN (SELECT run_id FROM last_ends WHERE verdict = 'violation');
UPDATE totals SET last_run_id = l.run_id, last_event_id = l.event_id, last_finished_at_ms = l.at_ms
FROM last_ends l
WHERE totals.last_event_id = 0 AND l.verdict = totals.verdict
  AND (totals.target, totals.profile, totals.kernel_release) = (l.target, l.profile, l.kernel_release);

DROP TABLE last_ends;
DROP TABLE moved_kinds;
DROP TABLE moved;
)sql";

}  // namespace writecanary::storage
