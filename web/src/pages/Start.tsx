// Start a run: which target, which profile, and its options within the ranges that the API gives.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, problemOf } from "../data/client";
import { go } from "../data/router";
import type { List, Problem, Profile, Run, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { useQuery } from "../data/use_query";
import { count } from "../format";
import { Empty, ProblemBox, Section, To, Unread } from "../parts/basics";
import { Choice, plain } from "../parts/filters";

type Values = Record<string, string>;

function NumberField(props: {
  name: string;
  label: string;
  hint: string;
  values: Values;
  problem: Problem | null;
  onValue: (name: string, value: string) => void;
}) {
  const wrong = props.problem?.errors?.find(
    (error) => error.field === props.name || error.field === `options.${props.name}`,
  );
  const id = `field-${props.name}`;
  return (
    <label for={id}>
      {props.label}
      <input
        id={id}
        inputMode="decimal"
        value={props.values[props.name] ?? ""}
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby={`${id}-hint`}
        onInput={(event) => props.onValue(props.name, event.currentTarget.value)}
      />
      <span class={wrong ? "hint wrong" : "hint"} id={`${id}-hint`}>
        {wrong ? wrong.detail : props.hint}
      </span>
    </label>
  );
}

// What was typed as the API wants it. What is no number is sent as it is: the API says what is wrong with it.
function bodyOf(target: string, profile: Profile, values: Values, queue: boolean): object {
  const typed = (name: string) => {
    const text = (values[name] ?? "").trim();
    return text === "" ? undefined : Number.isNaN(Number(text)) ? text : Number(text);
  };
  const options = Object.fromEntries(
    profile.options.flatMap(({ name }) => (typed(name) === undefined ? [] : [[name, typed(name)]])),
  );
  return {
    target,
    profile: profile.name,
    duration_seconds: typed("duration_seconds"),
    writes: typed("writes"),
    seed: (values.seed ?? "").trim() || undefined,
    ...(Object.keys(options).length > 0 ? { options } : {}),
    queue,
  };
}

function AboutProfile({ profile }: { profile: Profile }) {
  return (
    <Section title={profile.title} class="about">
      <p>{profile.description}</p>
      <dl class="facts">
        <div>
          <dt>Must hold</dt>
          <dd>{profile.oracle}</dd>
        </div>
        <div>
          <dt>Counts as exposed</dt>
          <dd>{profile.exposure}</dd>
        </div>
        <div>
          <dt>Role</dt>
          <dd>{profile.role === "control" ? "control: shows what is safe" : "detector: looks for a bug"}</dd>
        </div>
      </dl>
    </Section>
  );
}

export function Start() {
  const [query, change] = useQuery();
  const targets = useApi<List<Target>>("/targets", ["run.started", "run.finished"]);
  const profiles = useApi<List<Profile>>("/profiles");
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(["writes", "seed", "duration_seconds"].map((name) => [name, query.get(name) ?? ""])),
  );
  const [queue, setQueue] = useState(true);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const failed = targets.problem ?? profiles.problem;
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [problem]);
  if (!targets.data || !profiles.data)
    return <Unread title="Start a run" problem={failed} retry={() => (targets.reload(), profiles.reload())} />;
  const target = query.get("target") ?? targets.data.items[0]?.name ?? "";
  const profile = profiles.data.items.find((each) => each.name === query.get("profile")) ?? profiles.data.items[0];
  if (!profile || targets.data.items.length === 0)
    return <Empty>There is no target to run on. Add a [[target]] to the configuration and reload it.</Empty>;
  const set = (name: string, value: string) => setValues((before) => ({ ...before, [name]: value }));
  const start = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const run = await post<Run>("/runs", bodyOf(target, profile, values, queue));
      go(`/runs/${run.id}`);
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  const common = { values, problem, onValue: set };
  return (
    <>
      <p class="kicker">
        <To href="/runs">Runs</To> <span class="quiet">new</span>
      </p>
      <h1>Start a run</h1>
      <form ref={form} class="start" onSubmit={(event) => void start(event)} noValidate>
        <div class="fields">
          <Choice
            name="Target"
            value={target}
            options={plain(targets.data.items.map((each) => each.name))}
            onChoice={(chosen) => change({ target: chosen })}
          />
          <Choice
            name="Profile"
            value={profile.name}
            options={plain(profiles.data.items.map((each) => each.name))}
            onChoice={(chosen) => change({ profile: chosen })}
          />
        </div>
        <AboutProfile profile={profile} />
        <fieldset>
          <legend>How long</legend>
          <div class="fields">
            <NumberField name="duration_seconds" label="Seconds" hint="as configured, unless you say so" {...common} />
            <NumberField
              name="writes"
              label="Writes"
              hint="no limit when a time is given, else as configured"
              {...common}
            />
            <NumberField name="seed" label="Seed" hint="a new one; the same seed replays the same plan" {...common} />
          </div>
        </fieldset>
        <details class="options">
          <summary>Options of {profile.name}</summary>
          <div class="fields">
            {profile.options.map((option) => (
              <NumberField
                key={option.name}
                name={option.name}
                label={`${option.description}${option.unit && option.unit !== "count" ? `, ${option.unit}` : ""}`}
                hint={`${count(option.minimum)} to ${count(option.maximum)}; ${count(option.default_value)} unless you say so`}
                {...common}
              />
            ))}
          </div>
        </details>
        <label class="check">
          <input type="checkbox" checked={queue} onChange={(event) => setQueue(event.currentTarget.checked)} />
          Wait in the queue while the target is busy
        </label>
        {problem && <ProblemBox problem={problem} />}
        <div class="buttons">
          <button type="submit" class="primary" aria-disabled={busy}>
            Start
          </button>
        </div>
      </form>
    </>
  );
}
