// A browser on the daemon under test. Every page that is opened here is watched: an error on its console, a request that
// leaves the origin or a violation of the content security policy fails the test at its end.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before } from "node:test";

export const url = process.env.WRITECANARY_URL;
const web = process.env.WRITECANARY_WEB;
const require = createRequire(join(web, "package.json"));
const { chromium } = require("playwright-core");
const axeSource = require.resolve("axe-core/axe.min.js");

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.WRITECANARY_BROWSER, args: ARGUMENTS });
});
after(() => browser?.close());

function watch(page, complaints, allowed, origin) {
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !allowed.some((each) => each.test(text))) complaints.push(`console: ${text}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.stack}`));
  page.on("request", (request) => {
    const to = request.url();
    if (!to.startsWith(origin) && !to.startsWith("data:") && !to.startsWith("blob:"))
      complaints.push(`request to ${to}`);
  });
}

// Calls the body with a fresh page. `allow`: console errors that belong to what is tried.
export async function withPage(options, body) {
  const { width = 1440, theme = "light", allow = [], origin = url, ...more } = options;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: theme,
    timezoneId: "Europe/Berlin",
    permissions: ["clipboard-read", "clipboard-write"],
    ignoreHTTPSErrors: url.startsWith("https:"), // of a test's own authority
    ...more,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  watch(page, complaints, allow, origin);
  try {
    await body(page, context);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

// Opens a path and waits until nothing is being read any more.
export async function open(page, path) {
  const answer = await page.goto(url + path);
  assert.equal(answer.status(), 200, path);
  await settled(page);
}

export async function settled(page) {
  await page.locator("main h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector(".loading") === null);
}

export async function api(path, options) {
  const response = await fetch(`${url}/api/v1${path}`, options);
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

export const post = (path, body = {}) =>
  api(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export async function finished(id) {
  for (;;) {
    const run = await api(`/runs/${id}`);
    if (run.state === "finished") return run;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const count = (value) => new Intl.NumberFormat("en").format(value);

// The value of a term in a list of facts.
export const fact = (page, term) =>
  page
    .locator("dl.facts > div", { has: page.getByText(term, { exact: true }) })
    .locator("dd")
    .first();

// A finding of each kind that there is.
export async function oneOfEachKind() {
  const { items } = await api("/findings?limit=500");
  return [...new Map(items.map((finding) => [finding.kind, finding])).values()];
}

// For a screen reader too. The page's policy forbids the checker's script: `bypassCSP` for this page alone.
export async function assertAccessible(page, what) {
  await page.addScriptTag({ path: axeSource });
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  });
  assert.deepEqual(violations, [], what);
}
