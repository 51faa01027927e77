// Without a mouse: everything can be reached, the focus can be seen and is never lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, finished, open, withPage } from "./support.mjs";

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? (element?.id || element?.textContent?.trim() || "");
  });

// Presses Tab until the element with that name has the focus.
async function tabTo(page, name) {
  for (let presses = 0; presses < 200; presses += 1) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`200 times Tab did not lead to ${name}`);
}

test("the first stop leads past the navigation", async () => {
  await withPage({}, async (page) => {
    await open(page, "/");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  });
});

test("whoever follows a link is taken to the new content", async () => {
  await withPage({}, async (page) => {
    await open(page, "/");
    await tabTo(page, /^Kernels$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Kernels" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.equal(await page.title(), "Kernels · writecanary");
    await page.goBack();
    await page.locator(".targets").waitFor();
  });
});

test("every stop of the overview can be seen", async () => {
  await withPage({}, async (page) => {
    await open(page, "/");
    const seen = new Set();
    for (;;) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const style = getComputedStyle(element);
        return {
          path: element.outerHTML.slice(0, 200),
          outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        };
      });
      if (stop === null || seen.has(stop.path)) break;
      seen.add(stop.path);
      assert.ok(stop.outline, `no outline: ${stop.path}`);
    }
    assert.ok(seen.size > 15, `only ${seen.size} stops`);
  });
});

test("start and stop a run", async () => {
  await withPage({}, async (page) => {
    await open(page, "/start?target=data&profile=append");
    await tabTo(page, /^field-duration_seconds$/);
    await page.keyboard.type("60");
    await tabTo(page, /^Start$/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/runs\/\d+$/);
    const id = Number(new URL(page.url()).pathname.split("/").pop());
    await page.getByRole("button", { name: `Stop run ${id}` }).waitFor();
    await tabTo(page, /^Stop run/);
    await page.keyboard.press("Space");
    assert.equal((await finished(id)).verdict, "stopped");
  });
});

test("a dialog takes the focus, and gives it back", async () => {
  const [finding] = (await api("/findings?acknowledged=false&kind=stale&limit=1")).items;
  await withPage({}, async (page) => {
    await open(page, `/findings/${finding.id}`);
    await tabTo(page, /^Acknowledge$/);
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "INPUT");
    await page.keyboard.press("Escape");
    assert.equal(await focused(page), "Acknowledge");
    assert.equal((await api(`/findings/${finding.id}`)).acknowledged, false);
  });
});
