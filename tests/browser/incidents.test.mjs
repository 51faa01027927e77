// Incidents: the list, one over time with a finding's picture, and how they become quiet.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, count, fact, open, settled, withPage } from "./support.mjs";

const { items } = await api("/incidents");
const of = (kind) => items.find((incident) => incident.kind === kind);

test("the list has what the API has, with a mark for each day", async () => {
  await withPage({}, async (page) => {
    await open(page, "/incidents");
    const rows = page.locator("table.rows tbody tr");
    assert.equal(await rows.count(), items.length);
    for (const [index, incident] of items.entries()) {
      const cells = await rows.nth(index).locator("td").allInnerTexts();
      assert.equal(cells[0], `${incident.kind.replaceAll("_", " ")} ${incident.id}`);
      assert.equal(cells[1], incident.state);
      assert.equal(cells[2], `${incident.profile} on ${incident.target}`);
      assert.equal(cells[6], count(incident.findings));
      assert.equal(await rows.nth(index).locator(".day-with").count(), 1, "all of it was found today");
      assert.equal(await rows.nth(index).locator(".day-none").count(), 30);
    }
    await page.getByLabel("Kind").selectOption("torn");
    await page.waitForFunction(() => document.querySelectorAll("table.rows tbody tr").length === 1);
    assert.match(page.url(), /\/incidents\?kind=torn$/);
  });
});

test("where findings were listed before, incidents are", async () => {
  await withPage({}, async (page) => {
    await open(page, "/findings");
    await page.getByRole("heading", { level: 1, name: "Incidents" }).waitFor();
  });
});

test("one: its figures, its findings, and the picture of the one that is chosen", async () => {
  const torn = await api(`/incidents/${of("torn").id}`);
  await withPage({}, async (page) => {
    await open(page, `/incidents/${torn.id}`);
    assert.equal(await fact(page, "Findings").textContent(), count(torn.findings));
    assert.equal(await fact(page, "Runs with it").textContent(), count(torn.runs));
    const text = await page.locator("main").innerText();
    assert.ok(text.includes(torn.kernel_release), text);
    assert.doesNotMatch(text, /undefined|NaN|null/);
    await page.locator("svg.picture").waitFor();
    const kept = page.getByRole("group", { name: "Findings that are kept" }).getByRole("button");
    assert.deepEqual(
      await kept.allTextContents(),
      torn.kept_findings.map((finding) => String(finding.id)),
    );
    assert.equal(await kept.last().getAttribute("aria-pressed"), "true", "the latest one");
    await kept.first().click();
    await page.getByRole("link", { name: `torn ${torn.kept_findings[0].id}`, exact: true }).click();
    await page.getByRole("link", { name: `incident ${torn.id}` }).click();
    await settled(page);
    assert.match(page.url(), new RegExp(`/incidents/${torn.id}$`));
  });
});

test("what is known is quiet: no news on the overview, and a mark of it", async () => {
  const torn = of("torn");
  const before = (await api("/status")).incidents.known; // other tests acknowledge theirs
  await withPage({}, async (page) => {
    await open(page, "/");
    const cell = page.locator(".target-row", { has: page.getByRole("heading", { name: "data", exact: true }) });
    assert.match(await page.locator("h1").textContent(), /torn/);
    await open(page, `/incidents/${torn.id}`);
    await page.getByRole("button", { name: "Acknowledge" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Note").fill("one writer per file here");
    await dialog.getByLabel("Quiet").selectOption("rate");
    await dialog.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("one writer per file here").waitFor();
    await page.getByText("until its rate rises").waitFor();
    const known = await api(`/incidents/${torn.id}`);
    assert.deepEqual([known.state, known.known.until], ["known", "rate"]);
    await open(page, "/");
    await page.waitForFunction(() => !document.querySelector("h1").textContent.includes("torn"));
    assert.equal(await fact(page, "Known").textContent(), count(before + 1));
    await cell.getByText("nothing new").waitFor();
    await page.getByRole("link", { name: /^\d+ known incidents?$/ }).click();
    await page.waitForFunction((rows) => document.querySelectorAll("table.rows tbody tr").length === rows, before + 1);
  });
});
