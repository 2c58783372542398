/** What the README shows works as it stands there. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "voxnorm-"));
  await copyFile(join(root, "examples/data/n3_brain.nii.gz"), join(folder, "head.nii.gz"));
  await copyFile(join(root, "examples/data/n3_brain_mask.nii.gz"), join(folder, "head_mask.nii.gz"));
});

afterEach(() => rm(folder, { recursive: true }));

it("runs the example for Node", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const entry = new URL("../../dist/index.js", import.meta.url).href;
  await writeFile(join(folder, "example.mjs"), code.replace('from "voxnorm"', `from ${JSON.stringify(entry)}`));
  const { stdout } = await run(process.execPath, ["example.mjs"], { cwd: folder });
  expect(stdout).toMatch(/before: 0\.51742\d+, after: 0\.50\d+/);
  expect(await readdir(folder)).toContain("corrected.nii.gz");
});

it("runs the commands", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const commands = [...readme.matchAll(/^ {4}npx voxnorm (.*)$/gm)].map(([, words]) => words!.split(" "));
  expect(commands.length).toBeGreaterThan(2);
  for (const words of commands) await run(process.execPath, [join(root, "dist/cli/bin.js"), ...words], { cwd: folder });
  const made = ["corrected.nii.gz", "field.nii.gz", "report.json"];
  expect(await readdir(folder)).toEqual(expect.arrayContaining(made));
});
