/**
 * `npm test`: set-up, checks, Rust tests, TypeScript tests. All run, even if an earlier one failed.
 *
 * The last line is `N passed, N failed`, with `, N skipped` where tests are skipped; a check counts as a test.
 */
import { runChecks } from "./lib/checks.mjs";
import { run } from "./lib/process.mjs";
import { cargoTests, vitestTests } from "./lib/runners.mjs";

const total = { passed: 0, failed: 0, skipped: 0 };

try {
  const setup = await run(process.execPath, ["scripts/setup.mjs"], { live: true });
  // Nothing below could run, or it would test an older build.
  if (setup.code !== 0) add({ failed: 1 });
  else {
    const checks = await runChecks();
    add({ passed: checks.passed.length, failed: checks.failed.length });
    add(await cargoTests());
    add(await vitestTests());
  }
} catch (error) {
  console.error(error);
  add({ failed: 1 });
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function add(counts) {
  for (const [name, count] of Object.entries(counts)) total[name] += count;
}
