/** The bench of the kernels still runs, and every instruction set gives the same result; no time is judged here. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

// The time is for its compilation.
it("times every kernel at every instruction set", { timeout: 600_000 }, () => {
  const args = ["--import", "tsx", "bench/kernels.ts", "--quick"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^\| kernel \| native .*native fallback \| ns a voxel/m);
  for (const kernel of ["a plain copy", "moments", "histogram, 256 bins", "sharpening of 200 bins"]) {
    expect(stdout).toMatch(new RegExp(`^\\| ${kernel} \\|( [\\d.]+ \\([\\d.]+\\) \\|)+`, "m"));
  }
});
