/** The benchmarks still run and their outputs are right; no time is judged here. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { BenchRecord } from "../../bench/record.ts";
import { reports } from "../../bench/report.ts";
import { goalTable } from "../../bench/tables/goals.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a full run would have written to, with its contents. */
function written(): Map<string, string> {
  const results = join(root, "bench", "results");
  const records = existsSync(results) ? readdirSync(results).map((name) => join(results, name)) : [];
  const pages = ["bench/RESULTS.md", "README.md", "docs/n4.md", "docs/figures/n4-strength.svg"];
  const files = [...records, ...pages.map((name) => join(root, name))].filter(existsSync);
  return new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
}

it("runs quickly without peers, finds the same bytes on every backend and writes nothing", { timeout: 120_000 }, () => {
  const before = written();
  const some = ["n4-n3-shrink4", "file-to-file", "truth", "startup"].flatMap((id) => ["--case", id]);
  const args = ["--import", "tsx", "bench/main.ts", "--quick", "--no-peers", ...some];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/same bytes: image digest `[0-9a-f]{64}`/);
  expect(stdout).toContain("| voxnorm wasm | 1 | simd128 |");
  expect(stdout).toContain("| SimpleITK | 1 |  |  | not run: not asked for |");
  expect(stdout).toMatch(/peak memory, MB|Not run: no such file/);
  expect(stdout).toMatch(/\| 40 % \| uncorrected \||Not run: no such file/);
  expect(written()).toEqual(before);
});

it("asks ten times a peer's speed, or where memory alone takes longer, half as much again as it takes", () => {
  const row = (who: string, ms: number) => ({ who, threads: 1, iterations: 1, rounds: [[{ ms, cpuMs: ms }]] });
  const goals = (peerMs: number, oursMs: number) => {
    const rows = [row("voxnorm native", oursMs), { ...row("peer", peerMs), peer: "peer", difference: 0 }];
    const each = { id: "normalise-x", title: "X", iterations: 1, rows, copies: [[2]] };
    return goalTable({ cases: [each], files: [] } as unknown as BenchRecord);
  };
  // Memory takes 3 ms.
  expect(goals(31, 3)).toContain("| X, native, 1 thread | ≥ 10× | 10× | reached |");
  expect(goals(31, 3.2)).toContain("| X, native, 1 thread | ≥ 10× | 9.69× | **missed** |");
  expect(goals(29, 4.2)).toContain("for two reads and a write | ≤ 1.50× | 1.40× | reached |");
  expect(goals(29, 4.8)).toContain("for two reads and a write | ≤ 1.50× | 1.60× | **missed** |");
});

it("has its tables as the newest record says", () => {
  for (const [path, text] of reports()) expect(readFileSync(join(root, path), "utf8"), path).toBe(text);
});
