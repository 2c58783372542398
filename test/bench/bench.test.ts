/** The benchmarks still run and their outputs are right; no time is judged here. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { reports } from "../../bench/report.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a full run would have written to, with its contents. */
function written(): Map<string, string> {
  const results = join(root, "bench", "results");
  const records = existsSync(results) ? readdirSync(results).map((name) => join(results, name)) : [];
  const files = [...records, join(root, "bench", "RESULTS.md"), join(root, "README.md")].filter(existsSync);
  return new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
}

it("runs quickly without peers, finds the same bytes on every backend and writes nothing", () => {
  const before = written();
  const args = ["--import", "tsx", "bench/main.ts", "--quick", "--no-peers", "--case", "n4-n3-shrink4"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/same bytes: image digest `[0-9a-f]{64}`/);
  expect(stdout).toContain("| voxnorm wasm | 1 | simd128 |");
  expect(stdout).toContain("| SimpleITK | 1 |  | not run: not asked for |");
  expect(written()).toEqual(before);
});

it("has its tables as the newest record says", () => {
  for (const [path, text] of reports()) expect(readFileSync(join(root, path), "utf8"), path).toBe(text);
});
