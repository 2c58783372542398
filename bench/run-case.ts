/**
 * Runs one case: peers and we in turns, so that whatever else the machine does falls on all alike.
 *
 * A round is one run of a peer, then some of each of ours with as many threads; ratios are taken within a round.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readVolume, type Volume } from "../dist/index.js";
import type { Case, Volumes } from "./cases/case.ts";
import { root, scratch } from "./files.ts";
import { type LevelEffort, levels } from "./levels.ts";
import { type Ours, openBackends, ours } from "./ours.ts";
import type { Environment } from "./peers/environment.ts";
import type { Peer } from "./peers/index.ts";
import { PeerProcess } from "./peers/process.ts";
import type { CaseRecord, Row, Run } from "./record.ts";

export interface Effort {
  readonly isQuick: boolean;
  readonly rounds: number;
  /** Runs of each of ours in a round. */
  readonly runs: number;
  readonly levels: LevelEffort;
  readonly startups: number;
}

const threadCounts = [1, 2];

export async function runCase(
  theCase: Case,
  peers: readonly Peer[],
  environment: Environment,
  effort: Effort,
  say: (line: string) => void,
): Promise<CaseRecord> {
  const { id, title, inputs, accuracy } = theCase;
  const about = { id, title, inputs, accuracy: { title: accuracy.title, unit: accuracy.unit } };
  const missing = Object.values(inputs).filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) return { ...about, rows: [], reason: `no such file: ${missing.join(", ")}` };

  const pipeline = effort.isQuick ? theCase.quickPipeline : theCase.pipeline;
  const options = pipeline.steps[0]?.options ?? {};
  const backends = await openBackends(threadCounts);
  const rivals: Rival[] = [];
  try {
    const volumes = await load(inputs, backends[0]!);
    for (const peer of peers.filter((each) => theCase.peers.includes(each.id))) {
      for (const threads of threadCounts) {
        const field = join(scratch, `${id}-${peer.id}-${threads}.f32`);
        const paths = Object.fromEntries(Object.entries(inputs).map(([name, path]) => [name, join(root, path)]));
        rivals.push(await enter(peer, environment, { inputs: paths, options, threads, field }));
      }
    }
    const contenders = backends.map((backend) => ({ ...ours(backend, pipeline, volumes), rounds: [] as Run[][] }));

    const compared = await firstRuns(theCase, pipeline, volumes, contenders, rivals, effort);
    for (let round = 1; round <= effort.rounds; round++) {
      say(`round ${round} of ${effort.rounds}`);
      for (const threads of threadCounts) {
        for (const rival of rivals) if (rival.threads === threads) await turn(rival);
        const own = contenders.filter(({ backend }) => backend.threads === threads);
        for (const contender of own) contender.rounds.push([]);
        for (let run = 0; run < effort.runs; run++) {
          for (const contender of own) contender.rounds.at(-1)!.push(await contender.run());
        }
      }
    }
    const digest = await sameDigest(contenders);
    const rows: Row[] = [];
    for (const { backend, rounds } of contenders) {
      rows.push({ who: `voxnorm ${backend.name}`, threads: backend.threads, simd: backend.simd, rounds });
    }
    for (const { process, peer, threads, rounds, reason } of rivals) {
      const row = { who: process ? `${peer.name} ${process.version}` : peer.name, peer: peer.id, threads, rounds };
      if (reason !== undefined || process === undefined) rows.push({ ...row, reason: reason ?? "" });
      else rows.push({ ...row, difference: expectAlike(theCase, volumes, compared, await process.field()) });
    }
    say("our instruction sets among themselves");
    return { ...about, options, rows, digest, levels: await levels(contenders, effort.levels) };
  } finally {
    for (const { process } of rivals) process?.close();
    await Promise.all(backends.map((backend) => backend.close()));
  }
}

/** A peer with a number of threads: at work, or with the reason why not. */
interface Rival {
  readonly peer: Peer;
  readonly threads: number;
  readonly process?: PeerProcess;
  reason?: string;
  readonly rounds: Run[][];
}

type Job = Parameters<typeof PeerProcess.start>[2];

async function enter(peer: Peer, environment: Environment, job: Job): Promise<Rival> {
  const rival = { peer, threads: job.threads, rounds: [] };
  if ("reason" in environment) return { ...rival, reason: environment.reason };
  mkdirSync(scratch, { recursive: true });
  try {
    return { ...rival, process: await PeerProcess.start(environment.python, peer.program, job) };
  } catch (error) {
    return { ...rival, reason: reasonOf(error) };
  }
}

/** A peer that fails at work is out, with its reason; the others go on. */
async function turn(rival: Rival): Promise<void> {
  if (rival.process === undefined || rival.reason !== undefined) return;
  try {
    rival.rounds.push([await rival.process.run()]);
  } catch (error) {
    rival.reason = reasonOf(error);
  }
}

/** Without this machine's paths, since reasons are published. */
function reasonOf(error: unknown): string {
  return (error as Error).message.replaceAll(root, "");
}

/** One run of each that is not timed, except in a quick run; resolves to the output that peers are compared by. */
async function firstRuns(
  theCase: Case,
  pipeline: Case["pipeline"],
  volumes: Volumes,
  contenders: readonly Ours[],
  rivals: readonly Rival[],
  { isQuick }: Effort,
): Promise<Volume> {
  const { image, ...inputs } = volumes;
  const { backend } = contenders[0]!;
  const result = await pipeline.run(image, { backend, inputs, outputs: [theCase.compared] });
  theCase.check(volumes, result);
  if (!isQuick) {
    for (const contender of contenders) await contender.run();
    for (const rival of rivals) {
      await turn(rival);
      rival.rounds.length = 0;
    }
  }
  return result.outputs[theCase.compared]!;
}

async function load(inputs: Case["inputs"], backend: Ours["backend"]): Promise<Volumes> {
  const volumes: Record<string, Volume> = {};
  for (const [name, path] of Object.entries(inputs)) volumes[name] = await readVolume(join(root, path), { backend });
  return volumes as Volumes;
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
