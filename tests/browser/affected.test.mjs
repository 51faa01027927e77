// On an affected kernel: bytes that the kernel itself wrote twice, and calls that did not do what they said.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, assertAccessible, count, open, withPage } from "./support.mjs";

const [duplicate] = (await api("/findings?kind=duplicate&limit=500")).items.slice(-1); // of the first file, which was kept
const [broken] = (await api("/findings?kind=nowait_contract&limit=500")).items.slice(-1);

test("the overview says it first", async () => {
  await withPage({}, async (page) => {
    await open(page, "/");
    const sentence = await page.locator("h1").textContent();
    assert.match(sentence, new RegExp(`^Kernel ${process.env.WRITECANARY_KERNEL}: .* duplicates? on data`));
    await page.getByText("known issues").click();
    await page.locator(".notice").getByText("iomap-nowait-duplicate").waitFor();
  });
});

test("a duplicate: its way leads from the write to the copy behind it, and what avoids it was measured", async () => {
  const picture = await api(`/findings/${duplicate.id}/picture`);
  assert.ok(picture.kept, "the first damaged file of a run is kept");
  await withPage({}, async (page) => {
    await open(page, `/findings/${duplicate.id}`);
    const box = (selector) => page.locator(selector).first().boundingBox();
    const [source, damage] = [await box(".lane .source"), await box(".file .damage")];
    assert.ok(Math.abs(source.width - damage.width) < 2, "both to the same scale");
    assert.ok(Math.abs(source.x + source.width - damage.x) < 2, "the copy stands straight behind the original");
    const label = await page.locator(".damage-label").textContent();
    assert.equal(label, `duplicate, ${count(duplicate.length_bytes)} bytes`);
    const cells = await page.locator(".hex td.found span").allTextContents();
    assert.equal(cells.map((cell) => cell.trim()).join(""), duplicate.found_hex);
    // How many ways the run had time for is the machine's affair: ten seconds in all. The page says what each came to.
    const { attribution } = await api(`/runs/${duplicate.run_id}`);
    const rows = await page.getByRole("table", { name: "What avoids it" }).locator("tbody tr").allInnerTexts();
    assert.ok(rows[0]?.startsWith("as it is\tseen in "), rows.join("\n"));
    assert.equal(rows.length, attribution.length);
    for (const [index, { runs_with_findings: seen, exposures }] of attribution.entries()) {
      if (index === 0) continue;
      assert.equal(seen, 0, `a duplicate by another way: ${rows[index]}`);
      assert.ok(rows[index].includes(exposures > 0 ? "avoids it here" : "it says nothing"), rows[index]);
    }
  });
});

for (const [theme, width] of [
  ["light", 1440],
  ["dark", 390],
]) {
  test(`a broken promise: what was asked for, and how far the file grew; ${theme}, ${width} px`, async () => {
    await withPage({ theme, width, bypassCSP: true }, async (page) => {
      await open(page, `/findings/${broken.id}`);
      assert.ok((await page.locator("main").innerText()).includes(broken.detail));
      const box = (selector) => page.locator(selector).first().boundingBox();
      const [asked, grown] = [await box(".lane .block rect"), await box(".file .damage")];
      const share = broken.length_bytes / broken.write.length_bytes;
      assert.ok(Math.abs(grown.width / asked.width - share) < 0.03, `${grown.width} of ${asked.width}, not ${share}`);
      assert.equal(
        await page.locator(".damage-label").textContent(),
        `${count(broken.length_bytes)} bytes that were not reported`,
      );
      assert.equal(await page.locator(".hex").count(), 0, "no byte is wrong");
      await page.locator("dl.facts dd").getByText("EAGAIN").waitFor();
      await assertAccessible(page, "a broken promise");
    });
  });
}
