/** What the command costs before it does anything: `voxnorm --version` beside a Node that does nothing. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { version } from "../dist/index.js";
import { plainEnvironment, root } from "./files.ts";
import type { Startup } from "./record.ts";

const command = [join(root, "dist", "cli", "bin.cjs"), "--version"];
const nothing = ["-e", "0"];

export function startup(runs: number): Startup {
  const said = timed(command).stdout.trim();
  if (said !== version) throw new Error(`voxnorm --version: expected ${version}, got ${said}`);
  timed(nothing);
  const [voxnormMs, nodeMs]: [number[], number[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    voxnormMs.push(timed(command).ms);
    nodeMs.push(timed(nothing).ms);
  }
  return { voxnormMs, nodeMs };
}

function timed(args: string[]): { ms: number; stdout: string } {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: plainEnvironment,
  });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`node ${args.at(-1)}: exit code ${status}: ${stderr}`);
  return { ms, stdout };
}
