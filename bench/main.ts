/**
 * `npm run bench`: every case against every peer, a record in bench/results, and the tables that follow from it.
 *
 *     npm run bench -- [--quick] [--no-peers] [--case <id>]…
 *
 * `--quick` runs everything once with little work, checks the outputs and writes nothing. Only a complete run
 * writes: one without peers, or of some cases, would replace the published tables by less.
 */
import { parseArgs } from "node:util";
import { cases } from "./cases/index.ts";
import { kernels } from "./kernels.ts";
import { checkout, load, machine } from "./machine.ts";
import { type Environment, environment } from "./peers/environment.ts";
import { peers } from "./peers/index.ts";
import { type BenchRecord, type CaseRecord, keep, type PeerRecord } from "./record.ts";
import { writeReports } from "./report.ts";
import { type Effort, runCase } from "./run-case.ts";
import { startup } from "./startup.ts";
import { caseSection, startupSentence } from "./tables.ts";

const { values: asked } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    "no-peers": { type: "boolean", default: false },
    case: { type: "string", multiple: true, default: [] },
  },
});
const effort: Effort = asked.quick
  ? { isQuick: true, rounds: 1, runs: 1, startups: 1, levels: { maxTime: 0.01, minSamples: 2 } }
  : { isQuick: false, rounds: 5, runs: 5, startups: 15, levels: { maxTime: 2, minSamples: 20 } };

const unknown = asked.case.find((id) => !cases.some((each) => each.id === id));
if (unknown !== undefined) {
  throw new Error(`--case: expected one of ${cases.map(({ id }) => id).join(", ")}, got ${unknown}`);
}
const chosen = cases.filter(({ id }) => asked.case.length === 0 || asked.case.includes(id));
const say = (line: string) => console.error(`bench: ${line}`);

const [date, loadBefore] = [new Date().toISOString(), load()];
const found: Environment = asked["no-peers"] ? { reason: "not asked for" } : environment(say);
const records: CaseRecord[] = [];
for (const each of chosen) {
  say(each.title);
  const record = await runCase(each, peers, found, effort, (line) => say(`  ${line}`));
  console.log(`${caseSection(record)}\n`);
  records.push(record);
}
say("start-up");
const started = startup(effort.startups);
console.log(startupSentence(started));

const record: BenchRecord = {
  date,
  voxnorm: checkout(),
  machine: machine(loadBefore),
  peers: peers.map((peer) => peerRecord(peer.id, peer.name)),
  cases: records,
  startup: started,
  ...(asked.case.length === 0 ? { kernels: await kernels(effort.levels, !asked.quick) } : {}),
};
if (asked.quick || asked["no-peers"] || chosen.length < cases.length) say("done; nothing is written by a partial run");
else {
  const path = keep(record);
  say(`wrote ${[path, ...writeReports()].join(", ")}`);
}

function peerRecord(id: string, name: string): PeerRecord {
  const rows = records.flatMap((each) => each.rows).filter(({ peer }) => peer === id);
  const ran = rows.find(({ reason }) => reason === undefined);
  if (ran) return { id, name, version: ran.who.slice(name.length + 1) };
  return { id, name, reason: rows[0]?.reason ?? "no case that it can run has its data" };
}
