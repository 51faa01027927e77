// The page: draws what the API says and sends what the person asks for. It decides nothing itself, and it never puts
// data into the document other than as text.
const API = "/api/v1";
const REFRESH_MS = 30_000; // events bring changes at once; this catches what has no event (next runs, mounts)
const VERDICTS = {
  clean: ["good", "✓"], corrupt: ["bad", "✕"], stuck: ["bad", "⧗"], error: ["warn", "!"], interrupted: ["warn", "↯"],
  unexposed: ["warn", "?"], unsupported: ["idle", "–"], stopped: ["idle", "■"],
};
const COUNTERS = [["writes", "writes"], ["exposures", "exposures"], ["punted", "punted"], ["partial", "partial"]];

const state = { status: null, targets: [], profiles: [], runs: [], active: [], open: [], done: [], lastContact: null, lost: false };
const drawn = new Map(); // section -> what it was last drawn from, so that an unchanged section keeps focus and selection
const cards = new Map(); // run id -> its card in "Running now", updated in place so that a click on Stop never misses
const $ = (id) => document.getElementById(id);

// ---- small helpers -----------------------------------------------------------------------------------------------

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

const count = (value) => (value ?? 0).toLocaleString("en");
const total = (counts) => Object.values(counts ?? {}).reduce((sum, value) => sum + value, 0);
const kinds = (counts) => Object.entries(counts ?? {}).filter(([, n]) => n > 0).map(([kind, n]) => `${kind} ${count(n)}`).join(", ");

function size(bytes) {
  let value = bytes ?? 0;
  let unit = 0;
  while (value >= 1024 && unit < 5) { value /= 1024; unit += 1; }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit]}`;
}

function seconds(value) {
  if (value == null) return "";
  if (value < 120) return `${value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} d`;
}

function relative(iso) {
  const away = (Date.parse(iso) - Date.now()) / 1000;
  if (Math.abs(away) < 5) return "now";
  return away < 0 ? `${seconds(Math.round(-away))} ago` : `in ${seconds(Math.round(away))}`;
}

function when(iso, never = "never") {
  if (!iso) return el("span", { class: "quiet" }, never);
  return el("time", { datetime: iso, title: new Date(iso).toLocaleString() }, relative(iso));
}

function badge(verdict, text) {
  const [tone, sign] = VERDICTS[verdict] ?? ["idle", "○"];
  return el("span", { class: `badge ${tone}` }, el("span", { "aria-hidden": "true" }, `${sign} `), text ?? verdict ?? "never run");
}

// columns: [heading, row -> node or text, class]. On a narrow screen the headings stand beside the values.
function table(caption, columns, rows) {
  const head = columns.map(([name, , style]) => el("th", { scope: "col", class: style }, name));
  const line = (row) => el("tr", {}, ...columns.map(([name, value, style]) =>
    el("td", { class: style, "data-label": name }, el("span", {}, value(row) ?? ""))));
  return el("table", { "aria-label": caption }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows.map(line)));
}

// Draws a section only when its data changed, and gives the focus back to the control of the same name.
function draw(section, data, build) {
  const signature = JSON.stringify(data);
  if (drawn.get(section) === signature) return;
  drawn.set(section, signature);
  const focused = $(section).contains(document.activeElement) ? document.activeElement.dataset.key : null;
  $(section).replaceChildren(...build());
  if (focused) $(section).querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function say(title, problem) {
  const box = el("div", { class: problem ? "message refused" : "message" });
  const text = el("div", {}, el("strong", {}, title));
  if (problem?.detail) text.append(el("p", {}, problem.detail));
  const more = (problem?.errors ?? []).filter((error) => !problem.detail?.includes(error.detail)); // nothing is said twice
  if (more.length) text.append(el("ul", {}, ...more.map((error) => el("li", {}, `${error.field}: ${error.detail}`))));
  box.append(text, el("button", { class: "small", type: "button", onclick: () => box.remove() }, "Close"));
  $("messages").append(box);
  setTimeout(() => box.remove(), problem ? 30_000 : 6_000);
}

// ---- talking to the daemon ---------------------------------------------------------------------------------------

function contact(answered) {
  if (answered) state.lastContact = new Date();
  state.lost = !answered;
  $("lost").hidden = answered;
  if (answered) return;
  const since = state.lastContact?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const text = since ? `No connection since ${since}. What you see is old.` : "No connection to the daemon. Is writecanaryd running?";
  if ($("lost").textContent !== text) $("lost").textContent = text;
}

class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

async function call(path, body) {
  const options = { cache: "no-store", signal: AbortSignal.timeout(10_000) };
  if (body !== undefined) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  let response;
  try {
    response = await fetch(API + path, options);
  } catch {
    contact(false);
    throw new Refused({ title: "No connection", detail: "The daemon does not answer." });
  }
  contact(true);
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(answer ?? { title: `The daemon answered ${response.status}` });
  return answer;
}

// Sends a change, tells how it went and shows the new state. True when it was accepted.
async function act(button, done, path, body = {}) {
  if (button.ariaDisabled === "true") return false; // not `disabled`: that would throw away the keyboard focus
  button.ariaDisabled = "true";
  try {
    await call(path, body);
    say(done);
    return true;
  } catch (error) {
    say(error.problem?.title ?? "That did not work", error.problem ?? { detail: error.message });
    markFields(error.problem?.errors);
    return false;
  } finally {
    button.ariaDisabled = "false";
    refresh();
  }
}

let refreshing = null;
let again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = load().catch((error) => { if (!state.lost) say("The page could not be brought up to date", { detail: error.message }); });
  await refreshing;
  refreshing = null;
  if (again) { again = false; refresh(); }
}

async function load() {
  const [status, targets, profiles, runs, active, open, done] = await Promise.all([
    call("/status"), call("/targets"), state.profiles.length ? { items: state.profiles } : call("/profiles"), call("/runs?limit=20"),
    call("/runs?state=running"), call("/findings?acknowledged=false&limit=10"), call("/findings?acknowledged=true&limit=5")]);
  Object.assign(state, { status, targets: targets.items, profiles: profiles.items, runs: runs.items, active: active.items, open: open.items, done: done.items });
  drawSummary();
  drawRunning();
  draw("targets", state.targets, targetCards);
  draw("findings", [state.open, state.done, status.open_findings], findingTable);
  draw("runs", state.runs, runTable);
  fillForm();
  tick();
}

function listen() {
  const source = new EventSource(`${API}/events`);
  source.onopen = () => { contact(true); refresh(); };
  source.onerror = () => {
    contact(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5_000); // refused for good; the browser gives up, we do not
  };
  source.addEventListener("run.progress", (event) => { contact(true); progress(JSON.parse(event.data)); });
  for (const type of ["run.queued", "run.started", "finding", "run.finished", "target.paused", "target.resumed", "finding.acknowledged"])
    source.addEventListener(type, refreshSoon);
}

let soon = null;
function refreshSoon() {
  contact(true);
  soon ??= setTimeout(() => { soon = null; refresh(); }, 200); // a burst of findings is one refresh
}

// ---- sections ----------------------------------------------------------------------------------------------------

function drawSummary() {
  const { status } = state;
  const verdicts = state.targets.flatMap((target) => target.profiles.map((profile) => profile.last_verdict));
  const open = total(status.open_findings);
  const off = state.targets.some((target) => ["stuck", "not_mounted"].includes(target.state)) || !status.ready;
  let tone = verdicts.length && verdicts.every((verdict) => verdict === "clean") ? "good" : "wait";
  if (off || verdicts.some((verdict) => VERDICTS[verdict]?.[0] === "warn")) tone = "warn";
  if (open || verdicts.some((verdict) => VERDICTS[verdict]?.[0] === "bad")) tone = "bad";
  $("summary").className = `tone-${tone}`;
  const put = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; }; // unchanged text is not read out again
  put("sentence", status.summary);
  const notes = status.ready ? [] : [`Not ready: ${status.not_ready_reason}`];
  if (status.pressure?.backend === "none") notes.push(`No memory cgroup: ${status.pressure.reason}`);
  if (status.config?.reload_successful === false) notes.push(`The last reload of the configuration failed: ${status.config.reload_error}`);
  if (status.self_test?.ok === false) notes.push("The self-test failed: runs without findings prove nothing");
  put("notes", notes.concat((status.known_issues ?? []).map((issue) => `Known, not measured: ${issue.text}`)).join(" · "));
  put("host", `${status.hostname} · Linux ${status.kernel.release}`);
  put("version", `writecanaryd ${status.version} (${status.revision})`);
  document.title = open ? `(${open}) writecanary` : "writecanary";
}

function progress(data) {
  const known = state.active.find((run) => run.id === data.run_id);
  if (!known) return refreshSoon();
  Object.assign(known, data, { progress: { elapsed_seconds: data.elapsed_seconds, fraction: data.fraction } });
  drawRunning();
}

function drawRunning() {
  for (const [id, card] of cards) {
    if (!state.active.some((run) => run.id === id)) { card.node.remove(); cards.delete(id); }
  }
  for (const run of state.active) {
    if (!cards.has(run.id)) { cards.set(run.id, runCard(run)); $("running").append(cards.get(run.id).node); }
    cards.get(run.id).update(run);
  }
  $("running-none").hidden = cards.size > 0;
}

function runCard({ id, target, profile }) {
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Progress of run ${id}` });
  const facts = el("div", { class: "facts quiet" });
  const stop = el("button", { type: "button", class: "small", onclick: () => act(stop, `Run ${id} was told to stop`, `/runs/${id}/stop`) }, "Stop");
  const node = el("div", { class: "card" },
    el("div", { class: "head" }, el("h3", {}, `${target} · ${profile}`), el("span", { class: "quiet" }, `run ${id}`), el("span", { class: "push" }, stop)), bar, facts);
  const update = (run) => {
    const elapsed = run.progress?.elapsed_seconds ?? 0;
    bar.value = run.progress?.fraction ?? 0;
    const rate = elapsed > 0 ? `${size(run.bytes_written / elapsed)}/s` : "";
    const found = total(run.finding_counts);
    const texts = [seconds(elapsed), ...COUNTERS.map(([key, word]) => `${count(run[key])} ${word}`), size(run.bytes_written), rate, found ? `findings: ${kinds(run.finding_counts)}` : "no findings"];
    facts.replaceChildren(...texts.filter(Boolean).map((text) => el("span", {}, text)));
  };
  return { node, update };
}

function targetCards() {
  if (!state.targets.length) return [el("p", { class: "quiet" }, "No targets are configured. Add a [[target]] to the configuration and reload.")];
  return state.targets.map((target) => {
    const verb = target.paused ? "resume" : "pause";
    const button = el("button", { type: "button", class: "small", "data-key": `pause-${target.name}`, "aria-label": `${target.paused ? "Resume" : "Pause"} ${target.name}`,
      onclick: () => act(button, `${target.name}: ${verb}d`, `/targets/${encodeURIComponent(target.name)}/${verb}`) }, target.paused ? "Resume" : "Pause");
    const facts = [target.path, target.filesystem?.type, target.filesystem?.source, `${size(target.bytes_today)} of ${size(target.bytes_per_day_max)} today`];
    const trouble = { stuck: "bad", not_mounted: "warn", paused: "idle", waiting: "idle" }[target.state] ?? "idle";
    const why = target.paused ? target.paused_note || target.state_reason : target.state_reason;
    return el("div", { class: "card" },
      el("div", { class: "head" }, el("h3", {}, target.name), el("span", { class: `badge ${trouble}` }, target.state.replace("_", " ")),
        el("span", { class: "quiet" }, facts.filter(Boolean).join(" · ")), el("span", { class: "push" }, button)),
      why ? el("p", { class: "quiet" }, why) : null,
      table(`Profiles of ${target.name}`, [
        ["Profile", (p) => p.profile], ["Verdict", (p) => badge(p.last_verdict)], ["Last run", (p) => when(p.last_run_at)],
        ["Last clean", (p) => when(p.last_clean_at)], ["Writes", (p) => count(p.writes), "number"], ["Exposures", (p) => count(p.exposures), "number"],
        ["Findings", (p) => kinds(p.finding_counts) || "none"], ["Next run", (p) => when(p.next_run_at, "none")]], target.profiles));
  });
}

function findingTable() {
  const all = [...state.open, ...state.done];
  if (!all.length) return [el("p", { class: "quiet" }, "No findings. This says something only where the verdicts above are clean.")];
  const where = (f) => `${count(f.offset_bytes)} + ${count(f.length_bytes)}${f.source_offset_bytes == null ? "" : `, belongs to ${count(f.source_offset_bytes)}`}`;
  const acknowledge = (f) => f.acknowledged ? el("span", { class: "quiet" }, `${f.acknowledged_by || "acknowledged"}: ${f.note || "no note"}`)
    : el("button", { type: "button", class: "small", "data-key": `ack-${f.id}`, "aria-label": `Acknowledge finding ${f.id}`, onclick: () => askNote(f) }, "Acknowledge");
  const hidden = total(state.status.open_findings) - state.open.length;
  const more = hidden <= 0 ? null : el("p", { class: "quiet" }, `${count(hidden)} more are open: `,
    el("a", { href: `${API}/findings?acknowledged=false&limit=500` }, "all open findings"), ", or: writecanary findings");
  return [el("div", { class: "card" }, table("Findings, open ones first", [
    ["Finding", (f) => el("a", { href: `${API}/findings/${f.id}/report` }, `${f.kind} #${f.id}`)],
    ["State", (f) => (f.acknowledged ? badge("stopped", "acknowledged") : badge("corrupt", "open"))], ["Class", (f) => f.class],
    ["Target", (f) => `${f.target} · ${f.profile}`], ["Bytes", where], ["What", (f) => f.detail, "wide"], ["Kernel", (f) => f.kernel_release],
    ["Found", (f) => when(f.found_at)], ["", acknowledge]], all), more)];
}

function runTable() {
  if (!state.runs.length) return [el("p", { class: "quiet" }, "No run yet.")];
  return [el("div", { class: "card" }, table("Recent runs, newest first", [
    ["Run", (r) => el("a", { href: `${API}/runs/${r.id}` }, `${r.id}`)], ["Target", (r) => `${r.target} · ${r.profile}`],
    ["Verdict", (r) => (r.state === "finished" ? badge(r.verdict) : badge(null, r.state))], ["Ended", (r) => when(r.finished_at, "not yet")],
    ["Time", (r) => (r.state === "finished" ? seconds(r.duration_seconds) : ""), "number"], ["Writes", (r) => count(r.writes), "number"],
    ["Exposures", (r) => count(r.exposures), "number"], ["Findings", (r) => kinds(r.finding_counts) || "none"], ["Reason", (r) => r.reason, "wide"]], state.runs))];
}

// ---- what the person does ----------------------------------------------------------------------------------------

function fillForm() {
  const fill = (select, names) => {
    if ([...select.options].map((option) => option.value).join("\n") === names.join("\n")) return;
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
    if (names.includes(chosen)) select.value = chosen;
  };
  fill($("start").elements.target, state.targets.map((target) => target.name));
  fill($("start").elements.profile, state.profiles.map((profile) => profile.name));
  describeProfile();
}

function describeProfile() {
  const profile = state.profiles.find((item) => item.name === $("start").elements.profile.value);
  $("profile-text").textContent = profile ? `${profile.title}. ${profile.description}` : "";
}

function markFields(errors = []) {
  for (const field of $("start").elements) field.setAttribute("aria-invalid", errors.some((error) => error.field === field.name) ? "true" : "false");
}

async function start(event) {
  event.preventDefault();
  const { target, profile, duration_seconds, writes, queue } = event.target.elements;
  const body = { target: target.value, profile: profile.value, queue: queue.checked };
  if (duration_seconds.value) body.duration_seconds = Number(duration_seconds.value);
  if (writes.value) body.writes = Number(writes.value);
  if (await act(event.submitter ?? event.target.querySelector("button"), `${profile.value} on ${target.value} was started`, "/runs", body)) markFields();
}

let asked = null; // the finding that the dialog is open for
function askNote(finding) {
  asked = finding;
  $("ack-what").textContent = `#${finding.id} ${finding.kind} on ${finding.target}: ${finding.detail}`;
  $("ack").querySelector("input").value = "";
  $("ack").returnValue = "cancel";
  $("ack").showModal();
}

function noted() {
  if ($("ack").returnValue !== "ok") return;
  act($("ack").querySelector("button"), `Finding ${asked.id} is acknowledged`, `/findings/${asked.id}/ack`, { note: $("ack").querySelector("input").value });
}

function tick() {
  for (const node of document.querySelectorAll("time[datetime]")) {
    const text = relative(node.getAttribute("datetime"));
    if (node.textContent !== text) node.textContent = text;
  }
}

$("start").addEventListener("submit", start);
$("start").elements.profile.addEventListener("change", describeProfile);
$("ack").addEventListener("close", noted);
setInterval(tick, 10_000);
setInterval(refresh, REFRESH_MS);
refresh();
listen();
