// One finding: the picture first, then the bytes, the write, who sees it wrong, what avoids it, what to do with it.
import { useState } from "preact/hooks";
import { call, getText, post, problemOf } from "../data/client";
import type { Finding, Look, PictureData, Run, Status, Verdict, Write } from "../data/types";
import { useApi } from "../data/use_api";
import { count, hex, seconds } from "../format";
import { ActionButton, say } from "../parts/actions";
import { Facts, Loading, Section, Time, To, Unread } from "../parts/basics";
import { Sign } from "../parts/icons";
import { KnownIssue } from "../parts/known_issues";
import { NoteDialog } from "../parts/pause";
import { Attribution } from "../parts/run_parts";
import { Hex } from "../picture/Hex";
import { markedAs, Picture } from "../picture/Picture";
import { classes, kindName, kindWords, verdicts } from "../vocabulary";

const looks: [keyof Finding["views"], string, string][] = [
  ["hot", "Page cache", "as applications read it"],
  ["cold", "After eviction", "read again from the device"],
  ["direct", "O_DIRECT", "past the page cache"],
];

function LookMark({ look, wrong }: { look: Look; wrong: Verdict }) {
  if (look === null) return <span class="quiet">not looked</span>;
  const like = look === "right" ? "clean" : wrong;
  return (
    <span class={`verdict plain tone-${verdicts[like].tone}`}>
      <Sign of={like} />
      {look}
    </span>
  );
}

function viewsText({ hot, cold }: Finding["views"]): string {
  if (hot === "wrong" && cold === "right") return "Only the page cache has it wrong: a reboot mends it.";
  if (hot === "right" && cold === "wrong")
    return "The page cache is right and the device is not: what was written never arrived.";
  if (hot === "wrong" && cold === "wrong") return "Wrong on the device too: it stays.";
  return "";
}

function Views({ finding, wrong }: { finding: Finding; wrong: Verdict }) {
  return (
    <>
      <ul class="views">
        {looks.map(([name, title, meaning]) => (
          <li key={name}>
            <strong>{title}</strong>
            <LookMark look={finding.views[name]} wrong={wrong} />
            <span class="quiet">{meaning}</span>
          </li>
        ))}
      </ul>
      <p class="quiet">{viewsText(finding.views)}</p>
    </>
  );
}

const errors: Record<number, string> = { 4: "EINTR", 5: "EIO", 11: "EAGAIN", 28: "ENOSPC", 125: "ECANCELED" };

function resultText(result: number): string {
  return result < 0 ? (errors[-result] ?? `error ${-result}`) : `${count(result)} bytes`;
}

function writeFacts(write: Write): [string, string][] {
  return [
    ["Write", `${write.index} of writer ${write.writer}`],
    ["Length", `${count(write.length_bytes)} bytes`],
    [
      "Way through the kernel",
      { inline: "inline", punted: "punted to a worker", sync: "an ordinary call", ring: "io_uring" }[write.route],
    ],
    ["Result", resultText(write.result)],
    ["Stream offset", `${count(write.stream_offset_bytes)} (${hex(write.stream_offset_bytes)})`],
    ["Written inline before", write.inline_bytes > 0 ? `${count(write.inline_bytes)} bytes` : "nothing"],
    ...(write.at_us > 0 ? [["Result known", `${seconds(write.at_us / 1e6)} into the run`] as [string, string]] : []),
  ];
}

function Actions({ finding }: { finding: Finding }) {
  const [asking, setAsking] = useState(false);
  const acknowledge = async (note: string) => {
    try {
      await post(`/findings/${finding.id}/ack`, { note });
      say(`Incident ${finding.incident_id} is known.`);
    } catch (error) {
      say("", problemOf(error));
    }
  };
  // With the token in the request, which a plain link cannot have.
  const download = async (what: string, name: string) => {
    const file = await (await call(`/findings/${finding.id}/${what}`)).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  const evidence = () => download("evidence", `writecanary-finding-${finding.id}.tar`);
  const reproducer = () => download("reproducer", `repro-${finding.id}.c`);
  const copy = async () => navigator.clipboard.writeText(await getText(`/findings/${finding.id}/report`));
  return (
    <div class="buttons">
      {!finding.acknowledged && (
        <button type="button" class="primary" onClick={() => setAsking(true)}>
          Acknowledge
        </button>
      )}
      <ActionButton act={copy} done="The report is in the clipboard, ready to mail.">
        Copy the report
      </ActionButton>
      <ActionButton act={evidence} done="The evidence is downloaded.">
        Download the evidence
      </ActionButton>
      {finding.kind !== "stuck" && (
        <ActionButton act={reproducer} done="The reproducer is downloaded: gcc repro.c -luring">
          Download a reproducer in C
        </ActionButton>
      )}
      {asking && (
        <NoteDialog
          title={`Acknowledge incident ${finding.incident_id}`}
          text="All findings of its kind on this kernel are known, until the kernel changes."
          verb="Acknowledge"
          required
          onNote={acknowledge}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}

function Known({ finding, status }: { finding: Finding; status: Status | null }) {
  const issues = status?.known_issues.filter((issue) => issue.kinds.includes(finding.kind)) ?? [];
  if (issues.length === 0 || status?.kernel.release !== finding.kernel_release) return null;
  return (
    <ul class="notices">
      {issues.map((issue) => (
        <KnownIssue key={issue.id} issue={issue} tag="known issue" />
      ))}
    </ul>
  );
}

export function FindingPage({ id }: { id: string }) {
  const loaded = useApi<Finding>(`/findings/${encodeURIComponent(id)}`, ["incident.acknowledged"]);
  const finding = loaded.data;
  const picture = useApi<PictureData>(finding ? `/findings/${finding.id}/picture` : null);
  const run = useApi<Run>(finding ? `/runs/${finding.run_id}` : null);
  const status = useApi<Status>("/status");
  if (!finding) return <Unread title={`Finding ${id}`} problem={loaded.problem} retry={loaded.reload} />;
  const words = kindWords(finding.kind);
  const isStuck = finding.kind === "stuck";
  const verdict = isStuck ? "stuck" : finding.class === "corruption" ? "corrupt" : "violation"; // what it alone comes to
  const isLookedAt = finding.class === "corruption" || finding.class === "atomicity"; // at bytes, in a file
  return (
    <>
      <p class="kicker">
        <To href="/incidents">Incidents</To>{" "}
        <To href={`/incidents/${finding.incident_id}`}>incident {finding.incident_id}</To>{" "}
        <span class="quiet">finding {finding.id}</span>
      </p>
      <div class="page-head">
        <h1>{words.what}</h1>
      </div>
      <p class="lead">
        <span class={`verdict tone-${verdicts[verdict].tone}`}>
          <Sign of={verdict} />
          {kindName(finding.kind)}
        </span>{" "}
        <span>{finding.detail}</span>
      </p>
      <p class="quiet">
        {words.meaning} Class: {classes[finding.class] ?? finding.class}. Found by{" "}
        <To href={`/runs/${finding.run_id}`}>run {finding.run_id}</To>, {finding.profile} on{" "}
        <To href={`/targets/${encodeURIComponent(finding.target)}`}>{finding.target}</To> ({finding.fstype}), Linux{" "}
        {finding.kernel_release}, <Time at={finding.found_at} />.
      </p>
      {picture.data && <Picture finding={finding} data={picture.data} />}
      {finding.acknowledged && (
        <p class="acknowledged">
          Acknowledged by {finding.acknowledged_by || "somebody"}, <Time at={finding.acknowledged_at} />:{" "}
          {finding.note || "no note"}
        </p>
      )}
      <Actions finding={finding} />
      {finding.found_hex && (
        <Section
          title="At the first wrong byte"
          class={markedAs(finding)}
          aside={
            <span class="quiet">
              offset {count(finding.offset_bytes)} ({hex(finding.offset_bytes)}),{" "}
              {finding.page_aligned ? "on a page boundary" : "not on a page boundary"}
            </span>
          }
        >
          <Hex
            contextOffset={finding.context_offset_bytes}
            expected={finding.expected_hex}
            found={finding.found_hex}
            at={finding.offset_bytes}
          />
        </Section>
      )}
      <div class="columns">
        {isLookedAt && (
          <Section title="Who sees it wrong">
            <Views finding={finding} wrong={verdict} />
          </Section>
        )}
        {finding.write && (
          <Section title="The write it belongs to">
            <Facts items={writeFacts(finding.write)} />
          </Section>
        )}
        {finding.intruder && (
          <Section title="The write inside it">
            <Facts items={writeFacts(finding.intruder)} />
          </Section>
        )}
      </div>
      {!isStuck && (
        <Section title="What avoids it">
          {run.data ? <Attribution run={run.data} /> : <Loading what="its run" />}
        </Section>
      )}
      <Known finding={finding} status={status.data} />
    </>
  );
}
