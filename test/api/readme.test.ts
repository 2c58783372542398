/** What the README and the pages show works as it stands there. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { digest, n4, readVolume } from "../../dist/index.js";

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
  expect(await runExample("README.md")).toMatch(/before: 0\.51742\d+, after: 0\.50\d+/);
  expect(await readdir(folder)).toContain("corrected.nii.gz");
});

it("runs N4's example: a saved field gives the same image again", async () => {
  await runExample("docs/n4.md");
  const [image, mask, again] = await Promise.all(
    ["head", "head_mask", "again"].map((name) => readVolume(join(folder, `${name}.nii.gz`))),
  );
  const { outputs } = await n4().run({ image: image!, mask: mask! });
  expect(await digest(again!)).toBe(await digest(outputs.image!));
});

it.each([
  ["README.md", ["corrected.nii.gz", "field.nii.gz", "report.json", "again"]],
  ["docs/n4.md", ["corrected.nii.gz"]],
  ["docs/normalisation.md", ["z.nii.gz", "z.json"]],
])("runs the commands of %s", async (page, made) => {
  const text = await readFile(join(root, page), "utf8");
  const commands = [...text.matchAll(/^ {4}npx voxnorm (.*)$/gm)].map(([, words]) => words!.split(" "));
  expect(commands.length).toBeGreaterThan(2);
  for (const words of commands)
    await run(process.execPath, [join(root, "dist/cli/bin.cjs"), ...words], { cwd: folder });
  expect(await readdir(folder)).toEqual(expect.arrayContaining(made));
});

/** Runs the page's first piece of TypeScript in `folder` and resolves to what it prints. */
async function runExample(page: string): Promise<string> {
  const text = await readFile(join(root, page), "utf8");
  const code = /```ts\n(.*?)```/s.exec(text)?.[1] ?? "";
  const entry = new URL("../../dist/index.js", import.meta.url).href;
  await writeFile(join(folder, "example.mjs"), code.replace('from "voxnorm"', `from ${JSON.stringify(entry)}`));
  const { stdout } = await run(process.execPath, ["example.mjs"], { cwd: folder });
  return stdout;
}
