/**
 * Runs one case: peers and we in turns, so that whatever else the machine does falls on all alike.
 *
 * A round is, for a number of threads, some runs of each of ours, one of each peer, and ours once more; ratios are taken
 * within a round. Ours are many times shorter: only many runs, around the peer's, see the same machine as its one.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Volume } from "../dist/index.js";
import type { Amount, Case, Volumes } from "./cases/case.ts";
import { root, scratch } from "./files.ts";
import { type LevelEffort, levels } from "./levels.ts";
import { Copier } from "./memory.ts";
import { type Ours, openBackends, ours } from "./ours.ts";
import type { Environment, Kind } from "./peers/environment.ts";
import type { Peer } from "./peers/index.ts";
import { type Job, PeerProcess } from "./peers/process.ts";
import type { CaseRecord, Row, Run } from "./record.ts";
import { load, missing } from "./volumes.ts";

export interface Effort {
  readonly isQuick: boolean;
  /** The share of each case's rounds that are made. */
  readonly share: number;
  /** Runs of each of ours in half a round: more than the least as long as they take less than this time. */
  readonly runs: { readonly least: number; readonly most: number; readonly ms: number };
  readonly levels: LevelEffort;
  readonly startups: number;
}

const threadCounts = [1, 2];

/** How many rounds this effort makes of a case's own number. */
export function roundsOf(theCase: { readonly rounds: number }, { share }: Effort): number {
  return Math.max(1, Math.round(theCase.rounds * share));
}

export async function runCase(
  theCase: Case,
  peers: readonly Peer[],
  environment: (kind: Kind) => Environment,
  effort: Effort,
  say: (line: string) => void,
): Promise<CaseRecord> {
  const { id, title, inputs, accuracy, quick } = theCase;
  const { isQuick } = effort;
  const [own, theirs] = isQuick ? [[quick], [quick]] : [theCase.ours, theCase.theirs];
  const { iterations, pipeline } = own.at(-1)!;
  const options = pipeline.steps[0]!.options;
  const about = {
    ...{ id, title, inputs, options, iterations },
    accuracy: { title: accuracy.title, unit: accuracy.unit, most: accuracy.most },
  };
  const absent = missing(inputs);
  if (absent.length > 0) return { ...about, rows: [], reason: `no such file: ${absent.join(", ")}` };

  const backends = await openBackends(threadCounts);
  const [rivals, copiers]: [Rival[], Copier[]] = [[], []];
  try {
    const { volumes, paths } = await load(id, inputs, backends[0]!);
    for (const peer of peers.filter((each) => theCase.peers.includes(each.id))) {
      for (const threads of peer.threads ?? threadCounts) {
        const field = join(scratch, `${id}-${peer.id}-${threads}.f32`);
        const rival = await enter(peer, environment(peer.environment), { inputs: paths, threads, field });
        rivals.push({ ...rival, turns: theirs.map((amount) => ({ amount, rounds: [] })) });
      }
    }
    for (const threads of threadCounts) copiers.push(await Copier.start(volumes.image.data.length, threads));
    const contenders = backends.flatMap((backend) =>
      own.map((amount) => ({ ...ours(backend, amount, volumes), rounds: [] as Run[][] })),
    );

    const compared = await check(theCase, theirs.at(-1)!, volumes, backends[0]!);
    if (!isQuick) {
      for (const contender of contenders) await contender.run();
      for (const rival of rivals) await run(rival, quick);
    }
    const rounds = roundsOf(theCase, effort);
    const memory = copiers.map(({ threads }) => ({ threads, copyMs: [] as number[][] }));
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      for (const [i, threads] of threadCounts.entries()) {
        const copy = () => Array.from({ length: effort.runs.most }, () => copiers[i]!.ms());
        const copies = copy();
        const present = contenders.filter(({ backend }) => backend.threads === threads);
        for (const contender of present) contender.rounds.push([]);
        for (const contender of present) await batch(contender, effort.runs);
        for (const rival of rivals.filter((each) => each.threads === threads)) await turn(rival);
        for (const contender of present) await batch(contender, effort.runs);
        memory[i]!.copyMs.push([...copies, ...copy()]);
      }
    }
    const full = contenders.filter((each) => each.iterations === iterations);
    const digest = await sameDigest(full);
    const rows: Row[] = contenders.map(({ backend, iterations, rounds }) => {
      const { name, threads, simd } = backend;
      return { who: `voxnorm ${name}`, threads, simd, iterations, rounds };
    });
    for (const rival of rivals) rows.push(...(await rowsOf(rival, theCase, volumes, compared)));
    const done = { ...about, rows, digest, memory };
    if (!theCase.hasLevels) return done;
    say("our instruction sets among themselves");
    return { ...done, levels: await levels(full, effort.levels) };
  } finally {
    for (const { process } of rivals) process?.close();
    await Promise.all([...backends, ...copiers].map((each) => each.close()));
  }
}

/** One run after the other, as a server calls: taking turns, each would find the caches as the others left them. */
async function batch(
  contender: Ours & { readonly rounds: Run[][] },
  { least, most, ms }: Effort["runs"],
): Promise<void> {
  const until = performance.now() + ms;
  for (let n = 0; n < least || (n < most && performance.now() < until); n++) {
    contender.rounds.at(-1)!.push(await contender.run());
  }
}

/** A peer with a number of threads: at work, or with the reason why not. */
export interface Entrant {
  readonly peer: Peer;
  readonly threads: number;
  readonly process?: PeerProcess;
  reason?: string;
}

interface Rival extends Entrant {
  readonly turns: readonly { readonly amount: Amount; readonly rounds: Run[][] }[];
}

export async function enter(peer: Peer, environment: Environment, job: Job): Promise<Entrant> {
  const entrant = { peer, threads: job.threads };
  if ("reason" in environment) return { ...entrant, reason: environment.reason };
  mkdirSync(scratch, { recursive: true });
  try {
    return { ...entrant, process: await PeerProcess.start(environment.python, peer.program, job) };
  } catch (error) {
    return { ...entrant, reason: reasonOf(error) };
  }
}

/** A peer that fails at work is out, with its reason; the others go on. */
export async function run(entrant: Entrant, { pipeline }: Pick<Amount, "pipeline">): Promise<Run | undefined> {
  if (entrant.process === undefined || entrant.reason !== undefined) return undefined;
  try {
    return await entrant.process.run(pipeline.steps[0]!.options);
  } catch (error) {
    entrant.reason = reasonOf(error);
    return undefined;
  }
}

async function turn(rival: Rival): Promise<void> {
  for (const { amount, rounds } of rival.turns) {
    const done = await run(rival, amount);
    if (done) rounds.push([done]);
  }
}

async function rowsOf(rival: Rival, theCase: Case, volumes: Volumes, compared: Volume): Promise<Row[]> {
  const { peer, process, threads, turns, reason } = rival;
  const row = { who: process ? `${peer.name} ${process.version}` : peer.name, peer: peer.id, threads };
  if (process === undefined || reason !== undefined) {
    return [{ ...row, iterations: turns.at(-1)!.amount.iterations, rounds: [], reason: reason ?? "" }];
  }
  const difference = expectAlike(theCase, volumes, compared, await process.field());
  return turns.map(({ amount: { iterations }, rounds }, i) => ({
    ...{ ...row, iterations, rounds },
    ...(i === turns.length - 1 ? { difference } : {}),
  }));
}

/** Without this machine's paths, since reasons are published. */
function reasonOf(error: unknown): string {
  return (error as Error).message.replaceAll(root, "");
}

/** A run of ours that is not timed; resolves to the output that peers are compared by. */
async function check(theCase: Case, { pipeline }: Amount, volumes: Volumes, backend: Ours["backend"]): Promise<Volume> {
  const { image, ...inputs } = volumes;
  const { compared } = theCase;
  const outputs = compared === "image" ? [] : [compared];
  const result = await pipeline.run(image, { backend, inputs, outputs });
  theCase.check(volumes, result);
  return compared === "image" ? result.image : result.outputs[compared]!;
}

/** The promise of the library, on every row of every benchmark. */
async function sameDigest(contenders: readonly Ours[]): Promise<string> {
  const digests = new Map<string, string[]>();
  for (const { backend, digest } of contenders) {
    const value = await digest();
    const name = `${backend.name} ${backend.simd} with ${backend.threads} threads`;
    digests.set(value, [...(digests.get(value) ?? []), name]);
  }
  const [first, ...others] = digests.keys();
  if (first !== undefined && others.length === 0) return first;
  const lines = [...digests].map(([value, names]) => `  ${value}: ${names.join(", ")}`);
  throw new Error(`expected the same bytes of all our rows, got\n${lines.join("\n")}`);
}

function expectAlike({ accuracy }: Case, volumes: Volumes, own: Volume, theirs: Float32Array): number {
  if (theirs.length !== own.data.length) {
    throw new Error(`expected ${own.data.length} voxels from the peer, got ${theirs.length}`);
  }
  const difference = accuracy.difference(volumes, own, theirs);
  if (difference <= accuracy.most) return difference;
  throw new Error(`${accuracy.title}: expected at most ${accuracy.most} ${accuracy.unit}, got ${difference}`);
}
