// Installs what package-lock.json names, unless just that is installed already: then nothing is fetched or changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(fileURLToPath(import.meta.url));
const stamp = join(web, "node_modules", ".installed");
const wanted = createHash("sha256")
  .update(readFileSync(join(web, "package-lock.json")))
  .digest("hex");

if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) {
  utimesSync(stamp, new Date(), new Date()); // the build compares times
} else {
  const npm = spawnSync("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: web, stdio: "inherit" });
  if (npm.status !== 0) {
    console.error("npm ci failed in web/ (see above). It needs the npm registry once, or npm's cache of it.");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
