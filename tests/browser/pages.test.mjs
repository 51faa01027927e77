// Every page with real data, in both themes and on a phone: reads well for a screen reader, fits its width.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, assertAccessible, oneOfEachKind, open, withPage } from "./support.mjs";

async function assertFits(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${what} is ${over} px wider than its window`);
}

async function paths() {
  const { items: runs } = await api("/runs?profile=append-interposed&limit=1");
  const findings = await oneOfEachKind();
  const { items: incidents } = await api("/incidents");
  const places = findings.map((finding) => `/findings/${finding.id}`);
  return [
    "/",
    "/runs",
    `/runs/${runs[0].id}`,
    "/incidents",
    ...incidents.map((incident) => `/incidents/${incident.id}`),
    ...places,
    "/kernels",
    "/start",
    "/targets/data",
    "/nowhere",
  ];
}

const all = (await paths()).filter((path) => path !== "/nowhere");

for (const theme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    test(`${theme}, ${width} px`, async () => {
      // The policy forbids the script of the checker as it forbids all others: for it alone the policy is off.
      await withPage({ theme, width, bypassCSP: true }, async (page) => {
        for (const path of all) {
          await open(page, path);
          await assertFits(page, `${path}, ${theme}, ${width} px`);
          await assertAccessible(page, `${path}, ${theme}, ${width} px`);
        }
      });
    });
  }
}

test("the content security policy is on every page and holds", async () => {
  await withPage({ allow: [/Content Security Policy|violates the following/] }, async (page) => {
    for (const path of all) {
      const answer = await page.goto(process.env.WRITECANARY_URL + path);
      const policy = answer.headers()["content-security-policy"];
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.doesNotMatch(policy, /unsafe|\*/);
    }
    const blocked = await page.evaluate(async () => {
      const violation = new Promise((resolve) =>
        addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective)),
      );
      const script = document.createElement("script");
      script.textContent = "globalThis.broken = true";
      document.body.append(script);
      return { directive: await violation, broken: globalThis.broken === true };
    });
    assert.deepEqual(blocked, { directive: "script-src-elem", broken: false });
  });
});

test("the theme can be chosen, and stays chosen", async () => {
  await withPage({ theme: "light" }, async (page) => {
    await open(page, "/");
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    const toggle = page.getByRole("button", { name: /^Theme/ });
    await toggle.click(); // from that of the system to light
    await toggle.click();
    await page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, light);
    const dark = await background();
    await page.reload();
    await page.locator("main h1").waitFor();
    assert.equal(await background(), dark);
  });
});

test("times are said in the reader's zone, or in UTC", async () => {
  await withPage({}, async (page) => {
    await open(page, all[2]);
    const started = page.locator("dl.facts dd time").first();
    const iso = await started.getAttribute("datetime");
    assert.match(await started.textContent(), /(CET|CEST|GMT\+[12])$/);
    await page.getByRole("button", { name: "UTC" }).click();
    assert.equal(await started.textContent(), `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`);
    await open(page, "/runs");
    const ended = page.locator("table.rows time").first();
    await ended.hover();
    const at = await ended.getAttribute("datetime");
    assert.equal(await ended.getAttribute("title"), `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`, "exact on hover");
  });
});
