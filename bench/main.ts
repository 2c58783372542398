/**
 * `npm run bench`: every case against every peer, a record in bench/results, and the tables that follow from it.
 *
 *     npm run bench -- [--quick] [--no-peers] [--rounds <n>] [--case <id>]…
 *
 * `--rounds` is 5 for the turns that each case asks for; fewer are quicker and show less of the spread. `--quick` runs
 * everything once with little work, checks the outputs and writes nothing. Only a complete run writes: one without
 * peers, or of some cases, would replace the published tables by less. Besides the cases in memory there are `file-to-file`, `file-to-file-shrink1`, `truth`, `kernels` and `startup`.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createBackend } from "../dist/index.js";
import { cases } from "./cases/index.ts";
import { fileCases, fileToFile } from "./file-to-file.ts";
import { root } from "./files.ts";
import { kernelSection, kernels } from "./kernels.ts";
import { checkout, load, machine } from "./machine.ts";
import { type Environment, environment, type Kind } from "./peers/environment.ts";
import { peers } from "./peers/index.ts";
import { type BenchRecord, type CaseRecord, type FileRecord, keep, type PeerRecord } from "./record.ts";
import { writeReports } from "./report.ts";
import { type Effort, runCase } from "./run-case.ts";
import { startup } from "./startup.ts";
import { caseSection } from "./tables/cases.ts";
import { fileSection } from "./tables/files.ts";
import { startupSection } from "./tables/startup.ts";
import { truthSection } from "./tables/truth.ts";
import { truth } from "./truth/truth.ts";

const { values: asked } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    "no-peers": { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    case: { type: "string", multiple: true, default: [] },
  },
});
const effort: Effort = asked.quick
  ? {
      isQuick: true,
      share: 0,
      runs: { least: 1, most: 1, ms: 0 },
      startups: 1,
      levels: { maxTime: 0.01, minSamples: 2 },
    }
  : {
      ...{ isQuick: false, share: Number(asked.rounds) / 5, startups: 15 },
      ...{ runs: { least: 2, most: 10, ms: 100 }, levels: { maxTime: 2, minSamples: 20 } },
    };
if (!(Number.isInteger(Number(asked.rounds)) && Number(asked.rounds) > 0)) {
  throw new Error(`--rounds: expected a whole number above 0, got ${asked.rounds}`);
}

const known = [...[...cases, ...fileCases].map(({ id }) => id), "truth", "kernels", "startup"];
const unknown = asked.case.find((id) => !known.includes(id));
if (unknown !== undefined) throw new Error(`--case: expected one of ${known.join(", ")}, got ${unknown}`);
const isAsked = (id: string) => asked.case.length === 0 || asked.case.includes(id);
const say = (line: string) => console.error(`bench: ${line}`);
const sayMore = (line: string) => say(`  ${line}`);

const [date, loadBefore] = [new Date().toISOString(), load()];
const made = new Map<Kind, Environment>();
const found = (kind: Kind): Environment => {
  const known = made.get(kind) ?? (asked["no-peers"] ? { reason: "not asked for" } : environment(kind, say));
  made.set(kind, known);
  return known;
};
const records: CaseRecord[] = [];
for (const each of cases.filter(({ id }) => isAsked(id))) {
  say(each.title);
  const record = await runCase(each, peers, found, effort, sayMore);
  console.log(`${caseSection(record)}\n`);
  records.push(record);
}

const backend = await createBackend();
const files: FileRecord[] = [];
for (const each of fileCases.filter(({ id }) => isAsked(id))) {
  say(each.title);
  const record = await fileToFile(each, found(each.environment), effort, backend, sayMore);
  console.log(`${fileSection(record)}\n`);
  files.push(record);
}
let trueFields: BenchRecord["truth"] = { rows: [], reason: "not asked for" };
if (isAsked("truth")) {
  say("the known field");
  trueFields = await truth(found("n4"), backend, asked.quick, sayMore);
  console.log(`${truthSection(trueFields)}\n`);
}
await backend.close();
let kernelTimes: BenchRecord["kernels"] = [];
if (isAsked("kernels")) {
  say("the kernels one by one");
  kernelTimes = await kernels(effort.levels, !asked.quick);
  console.log(`${kernelSection(kernelTimes)}\n`);
}
let started: BenchRecord["startup"] = { voxnormMs: [], nodeMs: [] };
if (isAsked("startup")) {
  say("start-up");
  started = startup(effort.startups);
  console.log(startupSection(started));
}

if (asked.quick || asked["no-peers"] || asked.case.length > 0) say("done; nothing is written by a partial run");
else {
  const path = keep({
    date,
    voxnorm: checkout(),
    machine: machine(loadBefore),
    peers: peers.map((peer) => peerRecord(peer.id, peer.name)),
    cases: records,
    files,
    truth: trueFields,
    kernels: kernelTimes,
    startup: started,
    wasmBytes: statSync(join(root, "dist", "wasm", "voxnorm_bg.wasm")).size,
  });
  say(`wrote ${[path, ...writeReports()].join(", ")}`);
}

function peerRecord(id: string, name: string): PeerRecord {
  const rows = records.flatMap((each) => each.rows).filter(({ peer }) => peer === id);
  const ran = rows.find(({ reason }) => reason === undefined);
  if (ran) return { id, name, version: ran.who.slice(name.length + 1) };
  return { id, name, reason: rows[0]?.reason ?? "no case that it can run has its data" };
}
