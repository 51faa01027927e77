// Takes the pictures of docs/img, those of the kernel that runs: see pictures.
import { test } from "node:test";
import { join } from "node:path";
import { api, open, withPage } from "./support.mjs";

const [wide, phone] = [
  { width: 1280, deviceScaleFactor: 1.5 },
  { width: 390, deviceScaleFactor: 2, theme: "dark" },
];
const latest = async (kind) => (await api(`/findings?kind=${kind}&limit=500`)).items.at(-1); // of the first file, which was kept

async function take(name, options, path, height, drawn = "h1") {
  await withPage(options, async (page) => {
    await page.setViewportSize({ width: options.width, height });
    await open(page, path);
    await page.locator(drawn).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(process.env.WRITECANARY_OUT, `page-${name}.png`) });
  });
}

test(`on ${process.env.WRITECANARY_KERNEL}`, async () => {
  if (process.env.WRITECANARY_KERNEL === "6.1.192") {
    await take("kernels", { ...wide, theme: "dark" }, "/kernels", 735, ".chart canvas");
    return;
  }
  const duplicate = await latest("duplicate");
  await take("overview", wide, "/", 860);
  await take("incident", wide, `/incidents/${duplicate.incident_id}`, 1080, "svg.picture");
  await take("finding", wide, `/findings/${duplicate.id}`, 1075, "svg.picture");
  await take("finding-phone", phone, `/findings/${duplicate.id}`, 880, "svg.picture");
});
