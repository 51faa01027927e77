// Bundles the page into the directory given: node build.mjs OUT. What lands there is what the daemon embeds: each file
// under its own name and, where that is smaller, compressed beside it as NAME.gz.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out) throw new Error("usage: node build.mjs OUT");

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: web,
  entryPoints: { app: "src/main.tsx" },
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".woff2": "copy" },
  assetNames: "[name]",
  chunkNames: "part-[hash]",
  logLevel: "warning",
});
for (const name of readdirSync(join(web, "static"))) copyFileSync(join(web, "static", name), join(out, name));
// Addresses in it are relative, so that the page works under any path; places like /runs/7 are one level deeper.
const shell = readFileSync(join(out, "index.html"), "utf8");
writeFileSync(join(out, "index-below.html"), shell.replaceAll(/(href|src)="\.\//g, '$1="../'));
for (const name of readdirSync(out)) {
  const bytes = readFileSync(join(out, name));
  const compressed = gzipSync(bytes, { level: 9 });
  if (compressed.length < bytes.length * 0.9) writeFileSync(join(out, `${name}.gz`), compressed);
}
