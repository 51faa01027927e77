// Every number on the page is the API's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, count, fact, open, url, withPage } from "./support.mjs";

const sum = (items, pick) => items.reduce((all, item) => all + pick(item), 0);
const total = (counts) => sum(Object.values(counts), (value) => value);

const foundTexts = (counts) =>
  Object.entries(counts).map(([kind, number]) => `${count(number)} ${kind.replaceAll("_", " ")}`);

test("the overview", async () => {
  const { items } = await api("/activity?by=profile");
  const status = await api("/status");
  const { items: targets } = await api("/targets");
  await withPage({}, async (page) => {
    await open(page, "/");
    const day = page.locator(".facts.day");
    const shown = await day.locator("dd").allTextContents();
    assert.equal(shown[0], count(sum(items, (item) => total(item.runs_by_verdict))));
    assert.equal(shown[1], count(sum(items, (item) => item.writes)));
    assert.equal(shown[2], count(sum(items, (item) => item.exposures)));
    assert.equal(shown[3], count(total(status.incidents.open)));
    const sentence = await page.locator("h1").textContent();
    const torn = sum(items, (item) => item.finding_counts.torn ?? 0);
    assert.ok(sentence.includes(`${count(sum(items, (item) => item.exposures))} exposures in 24 h`), sentence);
    assert.ok(sentence.includes(`${count(torn)} torn appends on data`), sentence);
    for (const target of targets) {
      const row = page.locator(".target-row", { has: page.getByRole("heading", { name: target.name, exact: true }) });
      const cells = await row.locator(".cell").allInnerTexts();
      assert.equal(cells.length, target.profiles.length);
      for (const [index, profile] of target.profiles.entries()) {
        const [name, verdict, when, exposed] = cells[index].split("\n");
        const found = items.filter((item) => item.target === target.name && item.profile === profile.profile);
        assert.equal(name, profile.profile);
        assert.equal(verdict, profile.last_verdict ?? "never run");
        if (profile.last_run === null) assert.match(when, /^first run in /);
        else assert.equal(exposed, `${count(sum(found, (item) => item.exposures))} exposed`);
      }
    }
  });
});

test("the list of runs, and one run", async () => {
  const { items } = await api("/runs");
  await withPage({}, async (page) => {
    await open(page, "/runs");
    const rows = await page.locator("table.rows tbody tr").all();
    assert.equal(rows.length, items.length);
    for (const [index, row] of rows.entries()) {
      const cells = await row.locator("td").allInnerTexts();
      const run = items[index];
      assert.deepEqual(
        [cells[0], cells[1], cells[2], cells[3], cells[6], cells[7]],
        [String(run.id), run.target, run.profile, run.verdict, count(run.writes), count(run.exposures)],
      );
      assert.equal(cells[8], foundTexts(run.finding_counts).join("\n") || "none");
    }
    const run = items.find((each) => each.profile === "append-interposed");
    await open(page, `/runs/${run.id}`);
    const bars = await page.locator(".breakdown .number").allTextContents();
    assert.deepEqual(bars, [run.exposures, run.inline, run.punted, run.partial, run.disarmed].map(count));
    assert.equal(await fact(page, "Limit hits").textContent(), count(run.limit_hits));
    assert.equal(typeof run.seed, "string", "64 bits, which a number of this language would round");
    assert.equal(await fact(page, "Seed").textContent(), run.seed);
    const variants = page.getByRole("table", { name: "What avoids it" }).locator("tbody tr");
    for (const [index, rate] of run.attribution.entries()) {
      const cells = await variants.nth(index).locator("td").allInnerTexts();
      assert.deepEqual(cells.slice(2), [rate.findings, rate.writes, rate.exposures].map(count));
    }
  });
});

test("filters stand in the address, and narrow as the API does", async () => {
  const { items } = await api("/runs?target=sick&verdict=corrupt");
  await withPage({}, async (page) => {
    await open(page, "/runs");
    await page.getByLabel("Target").selectOption("sick");
    await page.getByLabel("Verdict").selectOption("corrupt");
    await page.waitForFunction(
      (rows) => document.querySelectorAll("table.rows tbody tr").length === rows,
      items.length,
    );
    assert.match(page.url(), /\/runs\?target=sick&verdict=corrupt$/);
    const shared = page.url();
    await page.goto("about:blank");
    await page.goto(shared);
    await page.waitForFunction(
      (rows) => document.querySelectorAll("table.rows tbody tr").length === rows,
      items.length,
    );
    assert.equal(await page.getByLabel("Target").inputValue(), "sick");
  });
});

test("the kernels", async () => {
  const { items } = await api("/kernels");
  await withPage({}, async (page) => {
    await open(page, "/kernels");
    await page.locator(".chart canvas").waitFor();
    const kernels = page.locator("table.rows tbody tr");
    assert.equal(await kernels.count(), items.length);
    for (const [index, kernel] of items.entries()) {
      const shown = await kernels.nth(index).locator("td").allInnerTexts();
      assert.ok(shown[0].startsWith(kernel.release), shown[0]);
      assert.equal(shown[1], count(kernel.exposures));
      assert.deepEqual(shown[3].split("\n"), foundTexts(kernel.finding_counts));
      assert.equal(shown[4], count(kernel.runs));
      assert.equal(shown[5], count(kernel.writes));
      const bound = kernels.nth(index).locator("td.number [title]");
      assert.equal(await bound.getAttribute("title"), String(kernel.rate_upper_bound_95));
    }
  });
});
