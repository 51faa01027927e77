// A finding of each kind: its picture, its bytes, and what one can do with it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { api, oneOfEachKind, open, url, withPage } from "./support.mjs";

const found = await oneOfEachKind();
const inFiles = ["bitflip", "duplicate", "foreign", "misplaced", "missing", "size_mismatch", "stale", "torn", "zeroed"];

// nowait_contract needs a kernel that breaks it: affected.test.mjs has one.
test("there is a finding of each kind that can be made on any kernel", () => {
  assert.deepEqual(found.map((finding) => finding.kind).sort(), [...inFiles, "stuck"].sort());
});

for (const finding of found.filter(({ kind }) => inFiles.includes(kind))) {
  test(`${finding.kind}: picture and bytes`, async () => {
    await withPage({}, async (page) => {
      await open(page, `/findings/${finding.id}`);
      await page.locator("svg.picture").waitFor();
      const damage = page.locator(finding.kind === "missing" ? ".file .gap" : ".file .damage");
      assert.equal(await damage.count(), 1);
      const label = await page.locator(".damage-label").textContent();
      assert.ok(label.includes(`${finding.length_bytes.toLocaleString("en")} bytes`), label);
      for (const side of ["expected", "found"]) {
        const cells = await page.locator(`.hex td.${side} span`).allTextContents();
        assert.equal(cells.map((cell) => cell.trim()).join(""), finding[`${side}_hex`]);
      }
      assert.ok((await page.locator("main").innerText()).includes(finding.detail));
    });
  });
}

test("stuck: no file, so no picture and no bytes, but what to look at and whom it concerns", async () => {
  const stuck = found.find((finding) => finding.kind === "stuck");
  await withPage({}, async (page) => {
    await open(page, `/findings/${stuck.id}`);
    const text = await page.locator("main").innerText();
    assert.ok(text.includes(stuck.detail), text);
    await page.locator(".lead .sign-stuck").waitFor();
    for (const part of ["svg.picture", ".hex", ".views"]) assert.equal(await page.locator(part).count(), 0, part);
    assert.doesNotMatch(text, /undefined|NaN|null/);
    await page.getByRole("button", { name: "Copy the report" }).click();
    await page.getByText("The report is in the clipboard").waitFor();
    assert.ok((await page.evaluate(() => navigator.clipboard.readText())).includes("stuck (availability)"));
    await page.getByRole("link", { name: "ice", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "ice" }).waitFor();
  });
});

test("torn: the other write stands above, and its way leads to where it is", async () => {
  const torn = found.find((finding) => finding.kind === "torn");
  const picture = await api(`/findings/${torn.id}/picture`);
  await withPage({}, async (page) => {
    await open(page, `/findings/${torn.id}`);
    const place = page.getByRole("navigation", { name: "Pages" }).locator(".within");
    assert.deepEqual(await place.allTextContents(), ["Incidents"]);
    const box = async (selector) => page.locator(selector).first().boundingBox();
    const [source, damage, way] = [await box(".lane .source"), await box(".file .damage"), await box(".way-line")];
    assert.ok(source.y + source.height <= damage.y, "what was written stands above the file");
    assert.ok(way.y >= source.y && way.y + way.height <= damage.y + 1, "the way leads from the one to the other");
    assert.equal(await page.locator(".lane").count(), 2);
    assert.equal(picture.kept ? await page.getByText("from the damaged file that was kept").count() : 1, 1);
    // To scale: the torn range has its share of the window's width.
    const wide = async () => (await page.locator(".file .damage").boundingBox()).width;
    const before = await wide();
    await page.getByRole("button", { name: "The range" }).click();
    assert.ok((await wide()) > before * 3);
    await page.getByRole("button", { name: "First wrong byte" }).click();
    await page.getByText("marks every 16 bytes").waitFor();
  });
});

test("a picture without a kept file says so", async () => {
  const [bare] = (await api("/findings?kind=foreign&limit=1")).items;
  assert.equal((await api(`/findings/${bare.id}/picture`)).kept, false, "its evidence was removed");
  await withPage({}, async (page) => {
    await open(page, `/findings/${bare.id}`);
    await page.getByText("drawn from the finding alone").waitFor();
    assert.equal(await page.locator(".file .damage").count(), 1);
  });
});

test("views and attribution", async () => {
  const torn = (await api("/findings?kind=torn&limit=500")).items.at(-1); // of the first file, which was read cold too
  await withPage({}, async (page) => {
    await open(page, `/findings/${torn.id}`);
    const looks = await page.locator(".views li").allInnerTexts();
    for (const [index, view] of ["hot", "cold", "direct"].entries()) {
      assert.ok(looks[index].includes(torn.views[view] ?? "not looked"), looks[index]);
    }
    const rows = await page.getByRole("table", { name: "What avoids it" }).locator("tbody tr").allInnerTexts();
    assert.ok(
      rows.some((row) => row.includes("IOSQE_ASYNC") && row.includes("avoids it here")),
      rows.join("\n"),
    );
  });
});

test("copy the report, download the evidence", async () => {
  const finding = found.find((each) => each.kind === "duplicate");
  await withPage({}, async (page) => {
    await open(page, `/findings/${finding.id}`);
    await page.getByRole("button", { name: "Copy the report" }).click();
    await page.getByText("The report is in the clipboard").waitFor();
    const report = await (await fetch(`${url}/api/v1/findings/${finding.id}/report`)).text();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), report);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download the evidence" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `writecanary-finding-${finding.id}.tar`);
    const archive = Buffer.from(await (await fetch(`${url}/api/v1/findings/${finding.id}/evidence`)).arrayBuffer());
    assert.ok((await readFile(await download.path())).equals(archive));
  });
});

test("download the reproducer", async () => {
  const finding = found.find((each) => each.kind === "torn");
  await withPage({}, async (page) => {
    await open(page, `/findings/${finding.id}`);
    const [program] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download a reproducer in C" }).click(),
    ]);
    assert.equal(program.suggestedFilename(), `repro-${finding.id}.c`);
    const source = await (await fetch(`${url}/api/v1/findings/${finding.id}/reproducer`)).text();
    assert.equal((await readFile(await program.path())).toString(), source);
    assert.match(source, /int main\(int argc/);
  });
});

test("acknowledge with a note", async () => {
  const finding = found.find((each) => each.kind === "zeroed");
  const openOnes = async () => (await api("/status")).incidents.open.zeroed;
  const before = await openOnes();
  await withPage({}, async (page) => {
    await open(page, `/findings/${finding.id}`);
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("dialog").getByLabel("Note").fill("damaged on purpose");
    await page.getByRole("dialog").getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("damaged on purpose").waitFor();
    assert.equal(await page.getByRole("button", { name: "Acknowledge" }).count(), 0);
  });
  assert.equal((await api(`/findings/${finding.id}`)).note, "damaged on purpose");
  assert.equal(await openOnes(), before - 1);
});
