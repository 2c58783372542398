/**
 * The test runners and how their results are counted: `{ passed, failed, skipped }`.
 *
 * A runner that ends badly without naming a failed test, or well without having run any, counts as one
 * failure: silence is never success.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { npmProgram, run } from "./process.mjs";

/** The Rust tests, optimised as in the build: the kernels' loops are slow otherwise. */
export async function cargoTests() {
  const { code, output } = await run("cargo", ["test", "--release", "--workspace", "--no-fail-fast"], { live: true });
  return judged("cargo test", code, cargoCounts(output));
}

/** The TypeScript tests, which use the built package. */
export async function vitestTests() {
  const folder = mkdtempSync(join(tmpdir(), "voxnorm-test-"));
  const report = join(folder, "vitest.json");
  const [node, args] = npmProgram("vitest", "vitest", [
    ...["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  ]);
  try {
    const { code } = await run(node, args, { live: true });
    return judged("vitest", code, vitestCounts(report));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sums the counts that each test binary prints. */
export function cargoCounts(output) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const lines = stripVTControlCharacters(output).matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm,
  );
  for (const [, passed, failed, ignored] of lines) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  return counts;
}

/** Reads vitest's JSON report; a file that failed before its first test counts as a failed test. */
export function vitestCounts(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const isBroken = (suite) =>
    suite.status === "failed" && !suite.assertionResults.some(({ status }) => status === "failed");
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.testResults.filter(isBroken).length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function judged(runner, code, counts) {
  const complaint =
    code !== 0 && counts.failed === 0
      ? `ended with exit code ${code} without naming a failed test`
      : counts.passed + counts.failed === 0
        ? "ran no test"
        : undefined;
  if (complaint === undefined) return counts;
  console.log(`test: ${runner} ${complaint}: counted as one failure`);
  return { ...counts, failed: 1 };
}
