// The daemon goes away and comes back: the page says so, keeps what it had, and is up to date again by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { finished, open, post, withPage } from "./support.mjs";

const control = (what) => fetch(`${process.env.WRITECANARY_CONTROL}/${what}`, { method: "POST" });

test("lost and found", async () => {
  await withPage({ allow: [/net::ERR_/] }, async (page) => {
    await open(page, "/runs");
    await page.locator(".live-live").waitFor();
    const rows = await page.locator("table.rows tbody tr").count();
    await control("stop");
    try {
      const banner = page.locator(".lost");
      await banner.waitFor();
      assert.match(await banner.innerText(), /^Connection lost, data from \d\d:\d\d:\d\d\. Trying again\.$/);
      assert.equal(await page.locator("table.rows tbody tr").count(), rows, "what was there is still there");
    } finally {
      await control("start");
    }
    await page.locator(".live-live").waitFor();
    assert.equal(await page.locator(".lost").count(), 0);
    const { id } = await post("/runs", { target: "data", profile: "append-sync", writes: 20 });
    await finished(id);
    await page
      .locator("table.rows")
      .getByRole("link", { name: String(id), exact: true })
      .waitFor();
  });
});

test("a page that is opened without a daemon says what is wrong, and recovers", async () => {
  await withPage({ allow: [/net::ERR_/] }, async (page) => {
    await open(page, "/");
    await control("stop");
    try {
      await page.locator(".lost").waitFor();
      await page.getByRole("link", { name: "Kernels" }).click();
      await page.locator(".problem").getByText("No connection").waitFor();
    } finally {
      await control("start");
    }
    await page.locator("table.rows td").first().waitFor();
    assert.equal(await page.locator(".problem").count(), 0);
  });
});
