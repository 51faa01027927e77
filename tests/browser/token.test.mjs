// A daemon that wants a token: the page asks for one, sends it with every request, and forgets it with the tab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { url, withPage } from "./support.mjs";

const TOKEN = "wc-the-right-one";
const problem = {
  type: "/problems/unauthorized",
  title: "A token is needed",
  status: 401,
  detail: "Send one.",
  instance: "",
  request_id: "1",
};

// What stands between the page and the daemon: it lets through who has the token.
async function guard(page, asked) {
  await page.route(`${url}/api/v1/**`, (route) => {
    const sent = route.request().headers().authorization ?? "";
    asked.push(sent);
    if (sent === `Bearer ${TOKEN}`) return route.continue();
    return route.fulfill({
      status: 401,
      headers: { "WWW-Authenticate": "Bearer" },
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    });
  });
}

test("asks, is refused, asks again, goes on", async () => {
  await withPage({ allow: [/status of 401/] }, async (page) => {
    const asked = [];
    await guard(page, asked);
    await page.goto(`${url}/`);
    const dialog = page.getByRole("dialog", { name: "This daemon wants a token" });
    await dialog.waitFor();
    await dialog.getByLabel("Token").fill("a wrong one");
    await dialog.getByRole("button", { name: "Use it" }).click();
    await dialog.getByText("It refused the one").waitFor();
    await dialog.getByLabel("Token").fill(TOKEN);
    await dialog.getByRole("button", { name: "Use it" }).click();
    await page.locator(".targets").waitFor();
    await page.locator(".live-live").waitFor();
    assert.equal(await dialog.isVisible(), false);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    assert.equal(await page.evaluate(() => sessionStorage.getItem("token")), TOKEN);
    assert.equal(asked.at(-1), `Bearer ${TOKEN}`);
    await page.reload();
    await page.locator(".targets").waitFor();
  });
});
