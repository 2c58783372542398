/**
 * Loaded before a program (`node --require`): notes the process's peak memory in kB in the file that
 * VOXNORM_BENCH_PEAK names. `resourceUsage` would start from what the parent held when it forked.
 */
const { readFileSync, writeFileSync } = require("node:fs");

process.on("exit", () => {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
  writeFileSync(process.env.VOXNORM_BENCH_PEAK, kilobytes);
});
