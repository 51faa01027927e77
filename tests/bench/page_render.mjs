// Measures in the browser, from the last answer of the API to the frame that shows what is in it (tests/bench/page_render).
import { createRequire } from "node:module";
import { join } from "node:path";

const { WRITECANARY_URL: url, WRITECANARY_WEB: web, WRITECANARY_BROWSER: executablePath } = process.env;
const { chromium } = createRequire(join(web, "package.json"))("playwright-core");
const rounds = Number(process.argv[2] ?? 9);

const views = [
  { name: "overview, 64 targets", path: "/", shown: ".target-row", least: 64 },
  { name: "runs, first page of 10,000 and 192 strips", path: "/runs", shown: ".strips li", least: 192 },
];

// Resolves with the time at which so many elements were painted.
const painted = ([selector, least]) =>
  new Promise((resolve) => {
    const look = () => {
      if (document.querySelectorAll(selector).length < least) return requestAnimationFrame(look);
      // What was put into the document before this frame is on the screen before the next one.
      requestAnimationFrame(() => resolve(performance.now()));
    };
    look();
  });

const lastAnswer = () =>
  Math.max(
    ...performance
      .getEntriesByType("resource")
      .map((entry) => (/\/api\/v1\/(?!events)/.test(entry.name) ? entry.responseEnd : 0)),
  );

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
for (const view of views) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(url + view.path, { waitUntil: "commit" });
    const end = await page.evaluate(painted, [view.shown, view.least]);
    times.push(end - (await page.evaluate(lastAnswer)));
    await page.close();
  }
  times.sort((a, b) => a - b);
  const [median, worst] = [times[Math.floor(times.length / 2)], times.at(-1)].map((time) => time.toFixed(0));
  console.log(`${view.name}: ${median} ms in the median of ${rounds}, ${worst} ms at worst`);
}
await browser.close();
