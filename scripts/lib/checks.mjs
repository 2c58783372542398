/** The checks that need no test: format, lints, types, and generated text that is up to date. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure, npmProgram, root, run } from "./process.mjs";
import { filesUnder } from "./stamp.mjs";

const checks = [
  // By file: `cargo fmt` does not see the modules that the list of steps declares.
  { name: "rustfmt", command: () => ["rustfmt", ["--edition", "2024", "--check", ...rustFiles()]] },
  {
    name: "clippy",
    command: () => ["cargo", ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]],
  },
  { name: "types", command: () => npmProgram("typescript", "tsc", ["--noEmit", "-p", "tsconfig.json"]) },
  { name: "biome", command: () => npmProgram("@biomejs/biome", "biome", ["ci", "--colors=off", "."]) },
  {
    name: "generated text",
    applies: () => existsSync(join(root, "dist", "generate", "main.js")),
    command: () => [process.execPath, ["dist/generate/main.js", "--check"]],
  },
];

function rustFiles() {
  return ["crates", "bindings", "bench/kernels"].flatMap(filesUnder).filter((file) => file.endsWith(".rs"));
}

/** Runs all checks, whatever the earlier ones say; resolves to the names of those that passed and failed. */
export async function runChecks() {
  if (!existsSync(join(root, "node_modules", ".package-lock.json"))) {
    throw new Failure("nothing is installed", "node_modules is missing", "Run `npm run setup` first.");
  }
  const results = { passed: [], failed: [] };
  for (const { name, command, applies } of checks) {
    if (applies?.() === false) continue;
    const start = performance.now();
    const { code, output } = await run(...command());
    const time = `${((performance.now() - start) / 1000).toFixed(1)} s`;
    (code === 0 ? results.passed : results.failed).push(name);
    if (code !== 0) console.log(output.trimEnd());
    console.log(`check: ${name}: ${code === 0 ? "ok" : "failed"} (${time})`);
  }
  return results;
}
