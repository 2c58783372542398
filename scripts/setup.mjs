/**
 * `npm run setup`: does whatever is missing between a clone and a checkout that runs.
 *
 * Safe to run twice, and quick the second time: a stage whose inputs are unchanged is skipped. Node alone
 * is enough to start it; nothing from npm is imported.
 *
 *     node scripts/setup.mjs [--only native|wasm|wasm-threads|ts] [--force] [--quiet]
 */
import { parseArgs } from "node:util";
import { main, tell } from "./lib/main.mjs";
import { Failure } from "./lib/process.mjs";
import { Skip, stages } from "./lib/stages.mjs";
import { isCurrent, lock, record } from "./lib/stamp.mjs";
import { requireNode } from "./lib/tools.mjs";

const { values: options } = parseArgs({
  options: { only: { type: "string" }, force: { type: "boolean" }, quiet: { type: "boolean" } },
});
const say = (line) => options.quiet || console.log(`setup: ${line}`);

await main("setup", async () => {
  requireNode();
  await setUp();
});

async function setUp() {
  const wanted = chosen();
  const isDone = (stage) => !isForced(stage) && isCurrent(stage.name, stage.inputs(), stage.outputs());
  if (wanted.every(isDone)) return say("everything is up to date");
  await lock(say);
  for (const stage of wanted) {
    // Asked again: another set-up may have done it while this one waited.
    if (isDone(stage)) say(`${stage.title}: up to date`);
    else await attempt(stage);
  }
}

/** The builders come from npm, so that stage belongs to every choice. */
function chosen() {
  if (options.only === undefined) return stages;
  const builds = stages.slice(1).map((stage) => stage.name);
  if (builds.includes(options.only)) return stages.filter(({ name }) => name === "npm" || name === options.only);
  throw new Failure("wrong call", `--only: expected one of ${builds.join(", ")}, got ${options.only}`, "");
}

function isForced(stage) {
  return options.force === true && (options.only === undefined || stage.name === options.only);
}

/** The stages after npm's do not need each other: with one that fails, the others still serve. */
async function attempt(stage) {
  try {
    await perform(stage);
  } catch (error) {
    if (stage === stages[0]) throw error;
    tell("setup", error);
  }
}

async function perform(stage) {
  const start = performance.now();
  // Taken before the work: what changes meanwhile is built by the next run.
  const inputs = stage.inputs();
  let skipped;
  try {
    await stage.work((line) => say(`${stage.title}: ${line}`));
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    skipped = error;
  }
  record(stage.name, stage.settles ? stage.inputs() : inputs);
  // Once: whoever mends the reason asks for the stage by name.
  if (skipped) return say(`${stage.title}: skipped: ${[skipped.message, skipped.why, skipped.remedy].join("\n")}`);
  say(`${stage.title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
