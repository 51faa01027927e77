// A daemon that wants tokens: the page asks for one, shows what the API says of a wrong one and of one that may only look,
// sends it with every request and with the event stream, and forgets it with the tab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, url, withPage } from "./support.mjs";

const { WRITECANARY_VIEWER: viewer, WRITECANARY_OPERATOR: operator } = process.env;
const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });
const said = async (options) => (await fetch(`${url}/api/v1/status`, options)).json();

const promptOf = (page) => page.getByRole("dialog", { name: "This daemon wants a token" });

async function give(page, token) {
  const prompt = promptOf(page);
  await prompt.getByLabel("Token").fill(token);
  await prompt.getByRole("button", { name: "Use it" }).click();
}

async function openWith(page, path, token) {
  await page.goto(url + path);
  await give(page, token);
  await page.locator(".live-live").waitFor();
}

test("who has no token may read the page and nothing else", async () => {
  const page = await (await fetch(`${url}/`)).text();
  for (const path of ["/", "/runs", "/app.js", /href="\.(\/[^"]+\.css)"/.exec(page)[1]]) {
    assert.equal((await fetch(url + path)).status, 200, path);
  }
  for (const path of ["status", "targets", "runs", "findings", "events"]) {
    assert.equal((await fetch(`${url}/api/v1/${path}`)).status, 401, path);
  }
});

test("asks, is refused with the API's words, asks again, goes on", async () => {
  await withPage({ allow: [/status of 401/] }, async (page) => {
    await page.goto(`${url}/`);
    const prompt = promptOf(page);
    await prompt.waitFor();
    assert.equal(await prompt.locator(".problem").count(), 0, "no token was given yet");
    await give(page, "a-wrong-one");
    const { title, detail } = await said(bearer("a-wrong-one"));
    await prompt.locator(".problem").getByText(title).waitFor();
    assert.ok((await prompt.locator(".problem").innerText()).includes(detail));
    await give(page, viewer);
    await page.locator(".targets").waitFor();
    await page.locator(".live-live").waitFor();
    assert.equal(await prompt.isVisible(), false);
  });
});

test("a viewer sees everything, and is told why it may not change anything", async () => {
  await withPage({ allow: [/status of 401/, /status of 403/] }, async (page) => {
    await openWith(page, "/", viewer);
    await page.getByRole("button", { name: "Pause data" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    const refused = await fetch(`${url}/api/v1/targets/data/pause`, { method: "POST", ...bearer(viewer) });
    const { title, detail } = await refused.json();
    await page.locator(".message .problem").getByText(title).waitFor();
    assert.ok((await page.locator(".message .problem").innerText()).includes(detail), detail);
    assert.equal((await api("/targets/data", bearer(viewer))).paused, false);
    await page.getByRole("link", { name: "Start a run" }).first().click();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.locator(".start .problem").getByText(title).waitFor();
    assert.deepEqual((await api("/runs", bearer(viewer))).items, []);
  });
});

test("an operator starts a run, and hears of it over the event stream", async () => {
  await withPage({ allow: [/status of 401/] }, async (page) => {
    const withoutToken = [];
    page.on("request", (request) => {
      if (request.url().includes("/api/") && !request.headers().authorization) withoutToken.push(request.url());
    });
    await openWith(page, "/start?target=data&profile=append-sync", operator);
    withoutToken.length = 0; // from here on it has one
    await page.getByLabel("Writes").fill("2000");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    // Only the event stream says that: the page does not ask again and again.
    await page.waitForFunction(() => (document.querySelector("progress")?.value ?? 0) > 0);
    await page.getByRole("button", { name: /^Stop run/ }).click();
    await page.locator(".timeline").getByText("finished: stopped").waitFor();
    const run = await api(`/runs/${new URL(page.url()).pathname.split("/").pop()}`, bearer(operator));
    assert.deepEqual([run.verdict, run.requested_by], ["stopped", "ops"]);
    assert.deepEqual(withoutToken, []);
  });
});

test("the token is kept for this tab, and nowhere else", async () => {
  await withPage({ allow: [/status of 401/] }, async (page, context) => {
    const addresses = [];
    context.on("request", (request) => addresses.push(request.url()));
    await openWith(page, "/", viewer);
    await page.reload();
    await page.locator(".targets").waitFor();
    assert.equal(await promptOf(page).isVisible(), false, "a reload keeps it");
    assert.equal(await page.evaluate(() => sessionStorage.getItem("token")), viewer);
    const { origins, cookies } = await context.storageState({ indexedDB: true });
    assert.equal(JSON.stringify([origins, cookies]).includes(viewer), false);
    assert.deepEqual(
      addresses.filter((address) => address.includes(viewer)),
      [],
    );
    const other = await context.newPage();
    await other.goto(`${url}/`);
    await promptOf(other).waitFor();
  });
});
