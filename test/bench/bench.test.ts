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

it("asks ten times a peer's speed, or where memory forbids that, half as much again as memory takes", () => {
  const row = (who: string, ms: number) => ({ who, threads: 1, iterations: 1, rounds: [[{ ms, cpuMs: ms }]] });
  const goals = (peerMs: number, oursMs: number, inputs = {}) => {
    const rows = [row("voxnorm native", oursMs), { ...row("peer", peerMs), peer: "peer", difference: 0 }];
    const memory = [
      { threads: 1, copyMs: [[3]] },
      { threads: 2, copyMs: [[1]] },
    ];
    const each = { id: "normalise-x", title: "X", inputs, iterations: 1, rows, memory };
    return goalTable({ cases: [each], files: [] } as unknown as BenchRecord);
  };
  // Memory takes 4 ms, and 5 with a mask.
  expect(goals(61, 6)).toContain("| X, native, 1 thread | ≥ 10× | 10× | reached |");
  expect(goals(61, 6.4)).toContain("| X, native, 1 thread | ≥ 10× | 9.53× | **missed** |");
  expect(goals(59, 5.6)).toContain("for a read and a copy | ≤ 1.50× | 1.40× | reached |");
  expect(goals(59, 6.4)).toContain("for a read and a copy | ≤ 1.50× | 1.60× | **missed** |");
  expect(goals(74, 7)).toContain("| X, native, 1 thread | ≥ 10× | 11× | reached |");
  expect(goals(74, 7, { mask: "m" })).toContain("for two reads and a copy | ≤ 1.50× | 1.40× | reached |");
});

it("asks three times the packages' speed from file to file, and tells of a script without one", () => {
  const row = (who: string, ms: number, more = {}) => ({ who, threads: 1, runs: [{ ms, peakKb: 1 }], ...more });
  const rows = [
    row("voxnorm native", 100),
    row("a", 290, { peer: "a" }),
    row("b", 400, { peer: "b" }),
    row("script", 150, { peer: "script", isByHand: true }),
  ];
  const zscore = { id: "file-to-file-zscore", title: "Z", voxels: 1, rows };
  const text = goalTable({ cases: [], files: [zscore] } as unknown as BenchRecord);
  expect(text).toContain("| Z, 1 thread | ≥ 3× | 2.90× | **missed** |");
  expect(text).toContain("| Z, 1 thread, against a script without a package |  | 1.50× |  |");
});

it("has its tables as the newest record says", () => {
  for (const [path, text] of reports()) expect(readFileSync(join(root, path), "utf8"), path).toBe(text);
});
