/** `npm run check`: all checks, one line each, then `check: ok` or which failed. */
import { runChecks } from "./lib/checks.mjs";
import { main } from "./lib/main.mjs";

await main("check", async () => {
  const { failed } = await runChecks();
  console.log(failed.length === 0 ? "check: ok" : `check: failed: ${failed.join(", ")}`);
  if (failed.length > 0) process.exitCode = 1;
});
