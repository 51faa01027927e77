// Version 11: incidents. Part of storage/database/schema.cpp, where the conventions are.
#pragma once

namespace writecanary::storage {

// Incidents in place of findings that each want to be acknowledged. What the earlier versions kept becomes incidents:
// the counts are those of the totals, which also know what was never kept. Findings between the first and the latest
// ones of an incident are removed later, a little at a time.
inline constexpr const char* kSchemaIncidents = R"sql(
CREATE TABLE incidents (
  id                  INTEGER PRIMARY KEY AUTOINCREMENT,
  target              TEXT NOT NULL,
  profile             TEXT NOT NULL,
  kernel_release      TEXT NOT NULL,
  kind                TEXT NOT NULL,
  class               TEXT NOT NULL,
  fstype              TEXT NOT NULL,
  state               TEXT NOT NULL CHECK (state IN ('open', 'known', 'resolved')),
  first_seen_ms       INTEGER NOT NULL,
  last_seen_ms        INTEGER NOT NULL,
  last_run_id         INTEGER NOT NULL,
  opened_at_ms        INTEGER NOT NULL, -- or reopened, the last time
  times_opened        INTEGER NOT NULL,
  runs_with           INTEGER NOT NULL,
  findings            INTEGER NOT NULL,
  runs_before         INTEGER NOT NULL, -- on its release, before the first finding
  exposures_before    INTEGER NOT NULL,
  runs                INTEGER NOT NULL, -- from the run with the first finding on
  exposures           INTEGER NOT NULL,
  here_exposures      INTEGER NOT NULL, -- since the last finding, on its release
  here_runs           INTEGER NOT NULL,
  elsewhere_release   TEXT NOT NULL,    -- the release that ran last, if that is another one
  elsewhere_exposures INTEGER NOT NULL,
  elsewhere_runs      INTEGER NOT NULL,
  resolved_at_ms      INTEGER,
  resolved_on         TEXT NOT NULL,
  known_at_ms         INTEGER,
  known_by            TEXT NOT NULL,
  note                TEXT NOT NULL,
  known_until         TEXT CHECK (known_until IN ('kernel', 'date', 'rate')),
  known_until_ms      INTEGER,
  known_findings      INTEGER NOT NULL, -- as they stood when it was acknowledged
  known_exposures     INTEGER NOT NULL,
  UNIQUE (target, profile, kernel_release, kind),
  CHECK ((state = 'resolved') = (resolved_at_ms IS NOT NULL)),
  CHECK (state != 'known' OR known_at_ms IS NOT NULL)
) STRICT;

CREATE TABLE incident_days (
  incident_id INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  day         INTEGER NOT NULL, -- since 1970
  runs        INTEGER NOT NULL,
  runs_with   INTEGER NOT NULL,
  exposures   INTEGER NOT NULL,
  findings    INTEGER NOT NULL,
  PRIMARY KEY (incident_id, day)
) STRICT, WITHOUT ROWID;

INSERT INTO incidents
  (target, profile, kernel_release, kind, class, fstype, state, first_seen_ms, last_seen_ms, last_run_id, opened_at_ms,
   times_opened, runs_with, findings, runs_before, exposures_before, runs, exposures, here_exposures, here_runs,
   elsewhere_release, elsewhere_exposures, elsewhere_runs, resolved_on, known_at_ms, known_by, note, known_until,
   known_findings, known_exposures)
WITH found AS (
  SELECT target, profile, kernel_release, kind, max(fstype) AS fstype, min(found_at_ms) AS first_ms,
         max(found_at_ms) AS last_ms, max(run_id) AS run_id, count(DISTINCT run_id) AS runs, count(*) AS findings,
         sum(acknowledged_at_ms IS NULL) = 0 AS is_known, max(acknowledged_at_ms) AS known_ms, max(id) AS last_id
  FROM findings GROUP BY target, profile, kernel_release, kind
), summed AS (
  SELECT found.*, coalesce(sum(json_extract(totals.tally, '$.' || kind || '.count')), 0) AS counted,
         coalesce(sum(totals.exposures), 0) AS exposures,
         coalesce(sum(CASE WHEN totals.verdict IN ('clean', 'corrupt', 'violation', 'unexposed')
                           THEN totals.runs ELSE 0 END), 0) AS judged
  FROM found LEFT JOIN totals USING (target, profile, kernel_release)
  GROUP BY target, profile, kernel_release, kind
)
SELECT summed.target, summed.profile, summed.kernel_release, summed.kind,
       CASE summed.kind WHEN 'torn' THEN 'atomicity' WHEN 'nowait_contract' THEN 'contract'
                        WHEN 'stuck' THEN 'availability' ELSE 'corruption' END,
       summed.fstype, iif(is_known, 'known', 'open'), first_ms, last_ms, summed.run_id, first_ms,
       1, runs, max(counted, findings), 0, 0, max(judged, runs), exposures, 0, 0,
       '', 0, 0, '', iif(is_known, known_ms, NULL), iif(is_known, last.acknowledged_by, ''),
       iif(is_known, last.note, ''), iif(is_known, 'kernel', NULL),
       iif(is_known, max(counted, findings), 0), iif(is_known, exposures, 0)
FROM summed JOIN findings AS last ON last.id = last_id
ORDER BY first_ms;

ALTER TABLE findings ADD COLUMN incident_id INTEGER REFERENCES incidents (id) ON DELETE CASCADE;
UPDATE findings SET incident_id = (
  SELECT id FROM incidents WHERE incidents.target = findings.target AND incidents.profile = findings.profile AND
    incidents.kernel_release = findings.kernel_release AND incidents.kind = findings.kind);
CREATE INDEX findings_by_incident ON findings (incident_id);
INSERT INTO incident_days
  SELECT incident_id, found_at_ms / 86400000, count(DISTINCT run_id), count(DISTINCT run_id), 0, count(*)
  FROM findings GROUP BY 1, 2;

-- What waits for the webhook stays; of the others nobody would want to know any more.
DELETE FROM events WHERE type = 'finding' AND id NOT IN (SELECT event_id FROM outbox);
DROP TRIGGER events_to_outbox;
CREATE TRIGGER events_to_outbox AFTER INSERT ON events
WHEN NEW.type IN ('incident.opened', 'incident.reopened', 'incident.resolved', 'incident.acknowledged', 'run.finished')
     AND EXISTS (SELECT 1 FROM facts WHERE name = 'webhook')
BEGIN
  INSERT INTO outbox (event_id) VALUES (NEW.id);
END;

DROP TABLE open_findings;
DROP INDEX runs_removable;
DROP INDEX runs_open;
ALTER TABLE runs DROP COLUMN open_findings;
CREATE INDEX runs_by_end ON runs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
DELETE FROM sqlite_stat1 WHERE idx IN ('runs_removable', 'runs_open');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('runs', 'runs_by_end', '1000000 1'),
  ('findings', 'findings_by_incident', '1000000 10');
)sql";

}  // namespace writecanary::storage
