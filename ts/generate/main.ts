/**
 * Writes everything that follows from declarations: a page and a JSON Schema for every step, the table of
 * error codes, the README's table, the version. With `--check` it writes nothing and fails where a file is stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as steps from "../steps/index.ts";
import { errorsPage, schemaOf, stepPage, stepTable } from "./pages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const checking = process.argv.includes("--check");

const read = (path: string) => readFile(join(root, path), "utf8");

/** A text with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
function between(text: string, name: string, replacement: string): string {
  const [open, close] = [`<!-- ${name}: written by ts/generate -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`expected the marks ${open} and ${close}`);
  return `${text.slice(0, start + open.length)}\n${replacement}\n${text.slice(end)}`;
}

const { version } = JSON.parse(await read("package.json"));
const files = new Map<string, string>([
  [
    "ts/version.ts",
    `// Written by ts/generate/main.ts from package.json; do not edit.\nexport const version = "${version}";\n`,
  ],
  ["Cargo.toml", (await read("Cargo.toml")).replace(/^version = ".*"$/m, `version = "${version}"`)],
  ["README.md", between(await read("README.md"), "steps", stepTable(Object.values(steps)))],
  ["docs/errors.md", errorsPage()],
]);
for (const step of Object.values(steps)) {
  files.set(`docs/steps/${step.id}.md`, stepPage(step));
  files.set(`docs/schema/${step.id}.json`, `${JSON.stringify(schemaOf(step), null, 2)}\n`);
}

let stale = 0;
for (const [path, text] of files) {
  if ((await read(path).catch(() => undefined)) === text) continue;
  stale++;
  if (!checking) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  console.log(`${checking ? "stale" : "wrote"}: ${path}`);
}
if (checking && stale > 0) {
  console.log("run `npm run generate` and commit what it writes");
  process.exitCode = 1;
}
