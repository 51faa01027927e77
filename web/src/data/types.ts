// What the API answers, as far as the page reads it. The whole description is /api/v1/openapi.json.

export type Verdict =
  | "clean"
  | "corrupt"
  | "violation"
  | "unexposed"
  | "unsupported"
  | "error"
  | "stuck"
  | "stopped"
  | "interrupted";
export type Look = "right" | "wrong" | null;
export type Counts = Record<string, number>;

export interface KnownIssue {
  id: string;
  title: string;
  fixed_in: string | null;
  hint_only: boolean;
  measured: boolean;
  kinds: string[];
  profiles: string[];
  advice: string;
  references: string[];
  text: string;
}

export interface Status {
  version: string;
  revision: string;
  hostname: string;
  kernel: { release: string; version: string; machine: string };
  started_at: string;
  ready: boolean;
  not_ready_reason: string;
  database: { path: string; size_bytes: number };
  config: { path: string; reload_successful: boolean; reload_error: string };
  pressure: { backend: string; directory: string; reason: string };
  notices: string[];
  self_test: { ok: boolean; at: string; error: string; detectors: { kind: string; ok: boolean; detail: string }[] };
  known_issues: KnownIssue[];
  incidents: { open: Counts; known: number; of_other_kernels: number };
  verdicts: Counts;
  runs_in_progress: number[];
}

export interface TargetProfile {
  profile: string;
  last_verdict: Verdict | null;
  last_run: number | null;
  last_run_at: string | null;
  last_clean_at: string | null;
  next_run_at: string | null;
  runs_by_verdict: Counts;
  writes: number;
  exposures: number;
  finding_counts: Counts;
}

export interface Target {
  name: string;
  path: string;
  mounted: boolean;
  filesystem: { type: string; source: string; options: string };
  state: "idle" | "running" | "stuck" | "not_mounted" | "paused" | "waiting";
  state_reason: string;
  paused: boolean;
  paused_note: string;
  current_run: number | null;
  queued_runs: number[];
  bytes_today: number;
  bytes_per_day_max: number;
  profiles: TargetProfile[];
}

export interface ProfileOption {
  name: string;
  description: string;
  unit: string;
  minimum: number;
  maximum: number;
  default_value: number;
}

export interface Profile {
  name: string;
  title: string;
  description: string;
  role: "detector" | "control";
  oracle: string;
  exposure: string;
  needs_io_uring: boolean;
  options: ProfileOption[];
  references: string[];
}

export interface VariantRate {
  variant: "as_is" | "offset" | "async" | "sync";
  runs: number;
  runs_with_findings: number;
  writes: number;
  exposures: number;
  findings: number;
}

export interface Counters {
  writes: number;
  inline: number;
  punted: number;
  partial: number;
  disarmed: number;
  exposures: number;
  short_results: number;
  cqe_enomem: number;
  bytes_written: number;
  bytes_verified: number;
  files: number;
  files_cold: number;
  limit_hits: number;
  oom_kills: number;
}

export interface Run extends Counters {
  id: number;
  target: string;
  profile: string;
  state: "queued" | "running" | "finished";
  verdict: Verdict | null;
  reason: string;
  trigger: string;
  requested_by: string;
  seed: string; // digits: it has 64 bits, and a number of this language has 53
  queued_at: string;
  started_at: string | null;
  finished_at: string | null;
  duration_seconds: number;
  first_finding_seconds: number | null;
  finding_counts: Counts;
  finding_bytes: Counts;
  attribution: VariantRate[];
  kernel: { release: string; version: string; machine: string };
  filesystem: { type: string; source: string; mount_point: string; options: string };
  pressure: { backend: string; directory: string; reason: string };
  spec?: { options?: Record<string, number>; [name: string]: unknown } | null;
  findings?: Finding[];
  progress?: { elapsed_seconds: number; fraction: number };
}

export interface Write {
  index: number;
  writer: number;
  stream_offset_bytes: number;
  length_bytes: number;
  route: "inline" | "punted" | "sync" | "ring";
  result: number;
  inline_bytes: number;
  disarmed: boolean;
  at_us: number;
}

export interface Finding {
  id: number;
  run_id: number;
  incident_id: number;
  target: string;
  profile: string;
  kernel_release: string;
  fstype: string;
  found_at: string;
  acknowledged: boolean;
  acknowledged_at: string | null;
  acknowledged_by: string;
  note: string;
  kind: string;
  class: "corruption" | "atomicity" | "contract" | "availability";
  file: string;
  offset_bytes: number;
  length_bytes: number;
  source_offset_bytes: number | null;
  page_aligned: boolean;
  write: Write | null;
  intruder: Write | null;
  context_offset_bytes: number;
  expected_hex: string;
  found_hex: string;
  detail: string;
  views: { hot: Look; cold: Look; direct: Look };
}

export interface IncidentDay {
  day: string;
  runs: number;
  runs_with_findings: number;
  exposures: number;
  findings: number;
}

export interface Incident {
  id: number;
  kind: string;
  class: Finding["class"];
  target: string;
  profile: string;
  kernel_release: string;
  fstype: string;
  state: "open" | "known" | "resolved";
  first_seen_at: string;
  last_seen_at: string;
  last_run_id: number;
  opened_at: string;
  times_opened: number;
  runs: number;
  findings: number;
  exposures: number;
  exposures_before: number;
  rate: number | null;
  rate_lower_bound_95: number | null;
  rate_upper_bound_95: number | null;
  known: { at: string; by: string; note: string; until: string } | null;
  without_finding: {
    kernel_release: string;
    exposures: number;
    exposures_to_resolve: number;
    runs: number;
    runs_to_resolve: number;
  };
  resolved_at: string | null;
  resolved_on: string | null;
  days: IncidentDay[];
  kept_findings?: Finding[];
  known_issues?: KnownIssue[];
}

export interface Segment {
  offset_bytes: number;
  length_bytes: number;
  content: "own" | "flipped" | "other" | "zeros" | "unknown";
  writer?: number;
  stream_offset_bytes?: number;
}

export interface Boundary {
  offset_bytes: number;
  context_offset_bytes: number;
  expected_hex: string;
  found_hex: string;
}

export interface PictureData {
  file: { name: string; size_bytes: number | null };
  page_bytes: number;
  kept: boolean;
  segments_total: number;
  segments: Segment[];
  boundaries: Boundary[];
  writes: Write[];
}

export interface Kernel {
  release: string;
  runs: number;
  writes: number;
  exposures: number;
  finding_counts: Counts;
  first_seen: string;
  last_seen: string;
  known_issues: KnownIssue[];
  rate_upper_bound_95: number | null;
}

export interface Activity {
  from: string;
  target: string | null;
  profile: string | null;
  kernel_release: string;
  runs_by_verdict: Counts;
  writes: number;
  exposures: number;
  finding_counts: Counts;
}

export interface ActivityList {
  since: string;
  until: string;
  step_seconds: number;
  items: Activity[];
}

export interface RunMark {
  id: number;
  verdict: Verdict;
  finished_at: string;
  exposures: number;
  findings: number;
}

export interface History {
  target: string;
  profile: string;
  runs: RunMark[];
}

export interface Progress extends Partial<Counters> {
  run_id: number;
  elapsed_seconds: number;
  fraction: number;
  finding_counts?: Counts;
}

export interface Problem {
  title: string;
  detail: string;
  status: number;
  errors?: { field: string; detail: string }[];
}

export interface List<T> {
  items: T[];
}
export interface Page<T> extends List<T> {
  next_cursor: string | null;
}
