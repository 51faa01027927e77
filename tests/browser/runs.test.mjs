// Start a run, follow it, stop it; pause and resume a target; and what the page says when the daemon refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, finished, open, post, url, withPage } from "./support.mjs";

const idOf = (page) => Number(new URL(page.url()).pathname.split("/").pop());

test("start, follow, stop", async () => {
  await withPage({}, async (page) => {
    await open(page, "/start?target=data&profile=append");
    await page.getByLabel("Seconds").fill("60");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const id = idOf(page);
    const bar = page.getByRole("progressbar");
    await bar.waitFor();
    // It moves by itself: two different values, both above zero.
    await page.waitForFunction(() => document.querySelector("progress").value > 0);
    const first = await bar.evaluate((element) => element.value);
    await page.waitForFunction((before) => document.querySelector("progress").value > before, first);
    const overview = await page.context().newPage();
    await open(overview, "/");
    await overview.getByRole("progressbar", { name: `Progress of run ${id}` }).waitFor();
    await page.getByRole("button", { name: `Stop run ${id}` }).click();
    await page.locator(".lead .verdict").getByText("stopped").waitFor();
    assert.equal((await finished(id)).verdict, "stopped");
    await overview.getByText("Nothing is running.").waitFor();
    await page.locator(".timeline").getByText("finished: stopped").waitFor();
  });
});

test("a run that is followed to its end shows its verdict without a reload", async () => {
  await withPage({}, async (page) => {
    await open(page, "/start?target=data&profile=append-sync");
    await page.getByLabel("Writes").fill("40");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const run = await finished(idOf(page));
    await page.locator(".lead .verdict").getByText(run.verdict).waitFor();
    assert.equal(run.writes, 40);
  });
});

test("run it again: the same seed, to the last digit", async () => {
  const { id } = await post("/runs", { target: "data", profile: "append-sync", writes: 20 });
  await finished(id);
  const seedOf = async (run) => (await (await fetch(`${url}/api/v1/runs/${run}`)).json()).seed;
  await withPage({}, async (page) => {
    await open(page, `/runs/${id}`);
    await page.getByRole("link", { name: "Run it again" }).click();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    await finished(idOf(page));
    assert.equal(await seedOf(idOf(page)), await seedOf(id));
    assert.equal((await api(`/runs/${idOf(page)}`)).writes, 20);
  });
});

test("options are sent within their ranges, and refused beyond them", async () => {
  await withPage({ allow: [/status of 422/] }, async (page) => {
    await open(page, "/start?target=data&profile=append");
    const [option] = (await api("/profiles")).items.find((each) => each.name === "append").options;
    await page.getByText("Options of append").click();
    const field = page.locator(`#field-${option.name}`);
    await field.fill(String(option.maximum + 1));
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.locator(".start .problem").waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.ok((await page.locator(".start .problem").innerText()).includes(option.name));
  });
});

test("a busy target that is not to be waited for refuses, and says why", async () => {
  const { id } = await post("/runs", { target: "data", profile: "append", duration_seconds: 60 });
  try {
    await withPage({ allow: [/status of 409/] }, async (page) => {
      await open(page, "/start?target=data&profile=append");
      await page.getByLabel("Wait in the queue").uncheck();
      await page.getByRole("button", { name: "Start", exact: true }).click();
      const said = await page.locator(".start .problem").innerText();
      assert.ok(said.includes("data"), said);
      assert.equal(new URL(page.url()).pathname, "/start");
    });
  } finally {
    await post(`/runs/${id}/stop`);
    await finished(id);
  }
});

test("pause and resume", async () => {
  await withPage({}, async (page) => {
    await open(page, "/");
    await page.getByRole("button", { name: "Pause sick" }).click();
    await page.getByRole("dialog").getByLabel("Note").fill("disk is being replaced");
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.locator(".notice").getByText("disk is being replaced").waitFor();
    assert.match((await api("/targets/sick")).paused_note, /^disk is being replaced/);
    await page.getByRole("button", { name: "Resume sick" }).click();
    await page.getByRole("button", { name: "Pause sick" }).waitFor();
    assert.equal((await api("/targets/sick")).paused, false);
  });
});
