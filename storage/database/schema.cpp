#include "storage/database/schema.h"

#include <array>

#include "storage/database/schema_incidents.h"
#include "storage/database/schema_violations.h"

namespace writecanary::storage {

namespace {

// Conventions: times are unix milliseconds. Unsigned 64-bit numbers (seed, counters) are stored bit-cast to the signed
// column. Verdicts, states and kinds are their names, so that the file can be read with the sqlite3 shell.
//
// Lists are always in descending id order. An index of an ordinary table ends in the rowid, so an index on a filtered
// column already yields that order and continues at a cursor without a sort.
//
// `target` is a name, not a reference: the history outlives the configuration.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE targets (
  name        TEXT PRIMARY KEY,
  path        TEXT NOT NULL,
  paused      INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  paused_note TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE kernels (
  id      INTEGER PRIMARY KEY,
  release TEXT NOT NULL,
  version TEXT NOT NULL,
  machine TEXT NOT NULL,
  UNIQUE (release, version, machine)
) STRICT;

CREATE TABLE filesystems (
  id          INTEGER PRIMARY KEY,
  type        TEXT NOT NULL,
  source      TEXT NOT NULL,
  mount_point TEXT NOT NULL,
  options     TEXT NOT NULL,
  UNIQUE (type, source, mount_point, options)
) STRICT;

CREATE TABLE runs (
  id                    INTEGER PRIMARY KEY AUTOINCREMENT,
  target                TEXT NOT NULL,
  profile               TEXT NOT NULL,
  trigger               TEXT NOT NULL,
  requested_by          TEXT NOT NULL,
  state                 TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished')),
  verdict               TEXT,
  queued_at_ms          INTEGER NOT NULL,
  started_at_ms         INTEGER,
  finished_at_ms        INTEGER,
  spec                  TEXT NOT NULL,            -- JSON, replays the run
  seed                  INTEGER NOT NULL,
  kernel_id             INTEGER REFERENCES kernels (id),
  kernel_release        TEXT NOT NULL DEFAULT '', -- repeated from kernels for the index
  filesystem_id         INTEGER REFERENCES filesystems (id),
  pressure_backend      TEXT NOT NULL,
  pressure_directory    TEXT NOT NULL,
  pressure_reason       TEXT NOT NULL,
  reason                TEXT NOT NULL,
  duration_seconds      REAL NOT NULL,
  first_finding_seconds REAL,
  writes                INTEGER NOT NULL,
  inline_writes         INTEGER NOT NULL,
  punted                INTEGER NOT NULL,
  partial               INTEGER NOT NULL,
  exposures             INTEGER NOT NULL,
  short_results         INTEGER NOT NULL,
  cqe_enomem            INTEGER NOT NULL,
  bytes_written         INTEGER NOT NULL,
  bytes_verified        INTEGER NOT NULL,
  files                 INTEGER NOT NULL,
  limit_hits            INTEGER NOT NULL,
  oom_kills             INTEGER NOT NULL,
  tally                 TEXT NOT NULL,              -- JSON, exact totals per finding kind
  open_findings         INTEGER NOT NULL DEFAULT 0, -- stored and not acknowledged
  CHECK ((state = 'finished') = (verdict IS NOT NULL)),
  CHECK ((state = 'finished') = (finished_at_ms IS NOT NULL))
) STRICT;
CREATE INDEX runs_by_target         ON runs (target);
CREATE INDEX runs_by_target_profile ON runs (target, profile);
CREATE INDEX runs_by_target_verdict ON runs (target, verdict);
CREATE INDEX runs_by_profile        ON runs (profile);
CREATE INDEX runs_by_kernel         ON runs (kernel_release);
CREATE INDEX runs_by_verdict        ON runs (verdict);
CREATE INDEX runs_by_state          ON runs (state);
CREATE INDEX runs_by_queued_at      ON runs (queued_at_ms);
CREATE INDEX runs_by_target_end     ON runs (target, finished_at_ms);
CREATE INDEX runs_removable         ON runs (finished_at_ms) WHERE open_findings = 0;

CREATE TABLE findings (
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id             INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  target             TEXT NOT NULL,
  profile            TEXT NOT NULL,
  kernel_release     TEXT NOT NULL,
  fstype             TEXT NOT NULL,
  kind               TEXT NOT NULL,
  found_at_ms        INTEGER NOT NULL,
  acknowledged_at_ms INTEGER,
  acknowledged_by    TEXT NOT NULL DEFAULT '',
  note               TEXT NOT NULL DEFAULT '',
  document           TEXT NOT NULL -- JSON of the finding itself
) STRICT;
CREATE INDEX findings_by_run          ON findings (run_id);
CREATE INDEX findings_by_target       ON findings (target);
CREATE INDEX findings_by_target_kind  ON findings (target, kind);
CREATE INDEX findings_by_profile      ON findings (profile);
CREATE INDEX findings_by_kernel       ON findings (kernel_release);
CREATE INDEX findings_by_kind         ON findings (kind);
CREATE INDEX findings_by_found_at     ON findings (found_at_ms);
CREATE INDEX findings_by_acknowledged ON findings ((acknowledged_at_ms IS NOT NULL));

-- Sums over every finished run, also of those that retention has removed.
CREATE TABLE totals (
  target              TEXT NOT NULL,
  profile             TEXT NOT NULL,
  kernel_release      TEXT NOT NULL,
  verdict             TEXT NOT NULL,
  runs                INTEGER NOT NULL,
  writes              INTEGER NOT NULL,
  inline_writes       INTEGER NOT NULL,
  punted              INTEGER NOT NULL,
  partial             INTEGER NOT NULL,
  exposures           INTEGER NOT NULL,
  short_results       INTEGER NOT NULL,
  cqe_enomem          INTEGER NOT NULL,
  bytes_written       INTEGER NOT NULL,
  bytes_verified      INTEGER NOT NULL,
  files               INTEGER NOT NULL,
  limit_hits          INTEGER NOT NULL,
  oom_kills           INTEGER NOT NULL,
  tally               TEXT NOT NULL,
  first_seen_ms       INTEGER NOT NULL,
  last_seen_ms        INTEGER NOT NULL,
  last_finished_at_ms INTEGER NOT NULL,
  last_run_id         INTEGER NOT NULL,
  last_event_id       INTEGER NOT NULL, -- orders the ends of runs, whatever the clock did
  PRIMARY KEY (target, profile, kernel_release, verdict)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_findings (
  target TEXT NOT NULL,
  kind   TEXT NOT NULL,
  count  INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (target, kind)
) STRICT, WITHOUT ROWID;

-- The data of `finding` and `run.finished` is not kept a second time: it is made from the row when it is read.
CREATE TABLE events (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms      INTEGER NOT NULL,
  type       TEXT NOT NULL,
  run_id     INTEGER REFERENCES runs (id) ON DELETE CASCADE,
  finding_id INTEGER,
  target     TEXT NOT NULL,
  data       TEXT -- JSON
) STRICT;
CREATE INDEX events_by_run ON events (run_id);

CREATE TABLE idempotency_keys (
  key           TEXT PRIMARY KEY,
  run_id        INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_run     ON idempotency_keys (run_id);
CREATE INDEX idempotency_keys_by_created ON idempotency_keys (created_at_ms);

-- Fixed statistics instead of ANALYZE: the planner's choice between two filters does not depend on what was in the
-- file when. The figures are rows per key in a large file, as far as that matters: what people look for (a verdict, a
-- kind) is rare, while a host has few kernels and profiles.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('runs', 'runs_by_target', '1000000 150000'),
  ('runs', 'runs_by_target_profile', '1000000 150000 50000'),
  ('runs', 'runs_by_target_verdict', '1000000 150000 20000'),
  ('runs', 'runs_by_profile', '1000000 250000'),
  ('runs', 'runs_by_kernel', '1000000 200000'),
  ('runs', 'runs_by_verdict', '1000000 60000'),
  ('runs', 'runs_by_state', '1000000 300000'),
  ('runs', 'runs_by_queued_at', '1000000 1'),
  ('runs', 'runs_by_target_end', '1000000 150000 1'),
  ('runs', 'runs_removable', '1000000 1'),
  ('findings', 'findings_by_run', '1000000 100'),
  ('findings', 'findings_by_target', '1000000 150000'),
  ('findings', 'findings_by_target_kind', '1000000 150000 20000'),
  ('findings', 'findings_by_profile', '1000000 250000'),
  ('findings', 'findings_by_kernel', '1000000 200000'),
  ('findings', 'findings_by_kind', '1000000 60000'),
  ('findings', 'findings_by_found_at', '1000000 100'),
  ('findings', 'findings_by_acknowledged', '1000000 500000');
)sql";

constexpr const char* kVersion2 = R"sql(
ALTER TABLE runs   ADD COLUMN disarmed    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN disarmed    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs   ADD COLUMN files_cold  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN files_cold  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs   ADD COLUMN attribution TEXT    NOT NULL DEFAULT '[]'; -- JSON
)sql";

// What the daemon remembers from one start to the next, by name.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE facts (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;
)sql";

// Which events somebody outside waits for. A trigger puts them here, so that no transaction that appends an event can
// leave it out. The rows go when they are delivered, or with their run.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE outbox (
  event_id INTEGER PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE
) STRICT;
CREATE TRIGGER events_to_outbox AFTER INSERT ON events
WHEN NEW.type IN ('finding', 'run.finished', 'finding.acknowledged')
     AND EXISTS (SELECT 1 FROM facts WHERE name = 'webhook')
BEGIN
  INSERT INTO outbox (event_id) VALUES (NEW.id);
END;
)sql";

// Who asked for which change, and what became of it. A row is there before the change is begun: an outcome that is
// missing means that the daemon ended meanwhile.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms      INTEGER NOT NULL,
  who        TEXT NOT NULL,
  address    TEXT NOT NULL,
  request_id TEXT NOT NULL,
  method     TEXT NOT NULL,
  path       TEXT NOT NULL,
  outcome    TEXT CHECK (outcome IN ('done', 'refused', 'failed')),
  detail     TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX runs_open ON runs (finished_at_ms) WHERE open_findings > 5; -- kOpenFindingsKept
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('runs', 'runs_open', '1000 1');
)sql";

// Which ids each hour has, so that a span of time becomes a span of ids without a search, also where the clock was set
// back meanwhile. The rows are looked for by hour and stay correct, if wider than they need be, when runs are removed.
// Unfinished runs are few and looked for at each start; finished ones are nearly all of them, so no index tells them.
constexpr const char* kVersion6 = R"sql(
CREATE TABLE run_hours (
  hour     INTEGER PRIMARY KEY, -- since 1970
  first_id INTEGER NOT NULL,
  last_id  INTEGER NOT NULL
) STRICT;
CREATE TABLE finding_hours (
  hour     INTEGER PRIMARY KEY,
  first_id INTEGER NOT NULL,
  last_id  INTEGER NOT NULL
) STRICT;
INSERT INTO run_hours     SELECT queued_at_ms / 3600000, min(id), max(id) FROM runs     GROUP BY 1;
INSERT INTO finding_hours SELECT found_at_ms  / 3600000, min(id), max(id) FROM findings GROUP BY 1;
CREATE TRIGGER runs_to_hours AFTER INSERT ON runs
BEGIN
  INSERT INTO run_hours VALUES (NEW.queued_at_ms / 3600000, NEW.id, NEW.id)
  ON CONFLICT (hour) DO UPDATE SET last_id = excluded.last_id;
END;
CREATE TRIGGER findings_to_hours AFTER INSERT ON findings
BEGIN
  INSERT INTO finding_hours VALUES (NEW.found_at_ms / 3600000, NEW.id, NEW.id)
  ON CONFLICT (hour) DO UPDATE SET last_id = excluded.last_id;
END;
DROP INDEX findings_by_found_at;

DROP INDEX runs_by_state;
CREATE INDEX runs_unfinished ON runs (state) WHERE finished_at_ms IS NULL;
DELETE FROM sqlite_stat1 WHERE idx IN ('runs_by_state', 'findings_by_found_at');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('runs', 'runs_unfinished', '100 50');
)sql";

// Which database this is: evidence beside it says the same id. And how far it is, which each transaction says anew:
// storage/database/write_ahead_log.h.
constexpr const char* kVersion7 = R"sql(
CREATE TABLE identity (
  only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
  id        TEXT NOT NULL,
  log_begin TEXT NOT NULL,
  log_mark  TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))), '0000000000000000', hex(randomblob(8))); -- kFirstLog
)sql";

// Which filesystem a run was on, beside how it was mounted: another can be made in its place.
constexpr const char* kVersion8 = R"sql(
CREATE TABLE volumes (
  id     INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  uuid   TEXT NOT NULL,
  UNIQUE (device, uuid)
) STRICT;
ALTER TABLE runs ADD COLUMN volume_id INTEGER REFERENCES volumes (id);
)sql";

// What was asked with an idempotency key, and by whom: another caller's key is another key, and another request with
// the same one is refused. A key outlives its run, which retention may remove within the day. Of the keys of an earlier
// version nobody knows either; they hold for everyone and any request.
constexpr const char* kVersion9 = R"sql(
CREATE TABLE request_keys (
  caller        TEXT NOT NULL,
  key           TEXT NOT NULL,
  request       TEXT NOT NULL,
  run_id        INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_keys_by_created ON request_keys (created_at_ms);
INSERT INTO request_keys SELECT '', key, '', run_id, created_at_ms FROM idempotency_keys;
DROP TABLE idempotency_keys;
)sql";

constexpr std::array kSteps = {kVersion1, kVersion2, kVersion3, kVersion4,         kVersion5,       kVersion6,
                               kVersion7, kVersion8, kVersion9, kSchemaViolations, kSchemaIncidents};

}  // namespace

std::span<const char* const> schema_steps() { return kSteps; }

}  // namespace writecanary::storage
