// What the page costs: bytes for the first view, and memory over an hour of events.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { test } from "node:test";
import { open, url, withPage } from "./support.mjs";

const FIRST_VIEW_BYTES_MAX = 150 * 1024;
// Four progress events a second for an hour, and a run that ends every half a minute.
const PROGRESS_EVENTS = 4 * 3600;
const FINISHED_EVENTS = 120;
const GROWTH_BYTES_MAX = 1_500_000;

test("the first view", async () => {
  await withPage({}, async (page) => {
    await open(page, "/");
    await page.evaluate(() => document.fonts.ready);
    const { assets, names } = await page.evaluate(() => {
      const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      const files = entries.filter((entry) => !entry.name.includes("/api/"));
      return {
        assets: files.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
        names: files.map((entry) => entry.name),
      };
    });
    assert.ok(
      names.some((name) => name.endsWith("/app.js")) && names.some((name) => name.endsWith(".woff2")),
      names.join(),
    );
    assert.ok(assets > 20_000, `${assets} bytes cannot be all`);
    assert.ok(assets < FIRST_VIEW_BYTES_MAX, `${assets} bytes`);
  });
});

// The daemon behind a server that sends an hour of events as fast as they are taken, and says when all are sent.
async function hurried(events) {
  let sent;
  const allSent = new Promise((resolve) => (sent = resolve));
  const server = createServer((incoming, answer) => {
    if (incoming.url === "/api/v1/events") {
      answer.writeHead(200, { "Content-Type": "text/event-stream" });
      void send(answer, events).then(sent);
      return;
    }
    const { port } = new URL(url);
    const onward = request(
      { host: "127.0.0.1", port, path: incoming.url, headers: { ...incoming.headers, host: `127.0.0.1:${port}` } },
      (real) => {
        answer.writeHead(real.statusCode, real.headers);
        real.pipe(answer);
      },
    );
    onward.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, allSent, address: `http://127.0.0.1:${server.address().port}` };
}

async function send(answer, events) {
  for (const [index, event] of events.entries()) {
    if (!answer.write(event)) await new Promise((resolve) => answer.once("drain", resolve));
    if (index % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function anHour() {
  const counts = (n) => ({ writes: n, exposures: n, punted: n, bytes_written: n * 4096, finding_counts: {} });
  const every = Math.floor(PROGRESS_EVENTS / FINISHED_EVENTS);
  return Array.from({ length: PROGRESS_EVENTS }, (_, n) => {
    const run = 1_000_000 + Math.floor(n / every);
    const fraction = (n % every) / every;
    const progress = { run_id: run, target: "data", profile: "append", elapsed_seconds: n / 4, fraction, ...counts(n) };
    const last =
      n % every === every - 1
        ? `id: ${run}\nevent: run.finished\ndata: ${JSON.stringify({ id: run, run_id: run })}\n\n`
        : "";
    return `event: run.progress\ndata: ${JSON.stringify(progress)}\n\n${last}`;
  });
}

test("memory stays flat over an hour of events", async () => {
  const events = anHour();
  const warmUp = await hurried(events.slice(0, events.length / 4));
  const whole = await hurried(events);
  try {
    const heap = async ({ address, allSent }) => {
      let used;
      await withPage({ origin: address }, async (page, context) => {
        const session = await context.newCDPSession(page);
        await page.goto(`${address}/`);
        await allSent;
        await page.locator(".targets").waitFor();
        await session.send("HeapProfiler.collectGarbage");
        used = (await session.send("Runtime.getHeapUsage")).usedSize;
      });
      return used;
    };
    const quarter = await heap(warmUp);
    const hour = await heap(whole);
    assert.ok(hour - quarter < GROWTH_BYTES_MAX, `${quarter} bytes after a quarter, ${hour} after the hour`);
  } finally {
    warmUp.server.close();
    whole.server.close();
  }
});
