/**
 * A record: everything one run of the benchmarks saw. Raw times only; what a table says of them is worked out
 * when the table is written. Records are kept and never edited.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./files.ts";
import type { KernelTimes } from "./kernels.ts";

export interface BenchRecord {
  readonly date: string;
  readonly voxnorm: { readonly version: string; readonly commit: string; readonly isModified: boolean };
  readonly machine: Machine;
  readonly peers: readonly PeerRecord[];
  readonly cases: readonly CaseRecord[];
  readonly files: readonly FileRecord[];
  readonly truth: TruthRecord;
  readonly startup: Startup;
  readonly kernels?: readonly KernelTimes[];
  /** Size of the WebAssembly module in bytes. */
  readonly wasmBytes: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  /** Mean number of processes that wanted a core in the minute before and at the end. */
  readonly load: { readonly before: number; readonly after: number };
}

/** A peer, or why there is none. */
export interface PeerRecord {
  readonly id: string;
  readonly name: string;
  readonly version?: string;
  readonly reason?: string;
}

export interface CaseRecord {
  readonly id: string;
  readonly title: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Of the whole work. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly iterations: number;
  readonly accuracy: { readonly title: string; readonly unit: string; readonly most: number };
  readonly rows: readonly Row[];
  /** Of our output, the same in all our rows. */
  readonly digest?: string;
  readonly levels?: readonly LevelTimes[];
  /** Milliseconds of copying the image on some threads, in each round: what memory allows. */
  readonly memory?: readonly { readonly threads: number; readonly copyMs: readonly (readonly number[])[] }[];
  /** Why it could not run. */
  readonly reason?: string;
}

/** One contender at one amount of work. */
export interface Row {
  readonly who: string;
  /** A peer's id; absent for our own rows. */
  readonly peer?: string;
  readonly threads: number;
  readonly simd?: string;
  readonly iterations: number;
  /** Runs of each round: rows are comparable within a round. */
  readonly rounds: readonly (readonly Run[])[];
  /** Difference from us in the case's measure. */
  readonly difference?: number;
  /** Why it could not run. */
  readonly reason?: string;
}

export interface Run {
  readonly ms: number;
  /** Processor time of all threads: above `ms` where several run, below it where others held the core. */
  readonly cpuMs: number;
}

/** Whole processes from file to file. */
export interface FileRecord {
  readonly id: string;
  readonly title: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Voxels of the image. */
  readonly voxels: number;
  readonly rows: readonly FileRow[];
  /** Variables of the environment that no process was given. */
  readonly withheld?: readonly string[];
  /** Why it could not run. */
  readonly reason?: string;
}

export interface FileRow {
  readonly who: string;
  readonly peer?: string;
  /** Whether a peer's script does the arithmetic itself, rather than by a package. */
  readonly isByHand?: boolean;
  readonly threads: number;
  /** One of each round. */
  readonly runs: readonly FileRun[];
  /** Peak memory of a process of its kind that does nothing, in kB. */
  readonly idleKb?: number;
  /** Of the output. */
  readonly bytes?: number;
  readonly gzipLevel?: string;
  /** RMS of the corrected images' log ratio to ours in the mask, its mean removed, in %. */
  readonly difference?: number;
  readonly reason?: string;
}

export interface FileRun {
  readonly ms: number;
  readonly peakKb: number;
  /** What our command says of itself; the rest is starting, hashing and ending. */
  readonly timings?: { readonly decodeMs: number; readonly computeMs: number; readonly encodeMs: number };
}

/** How far from the known field of simulated heads. */
export interface TruthRecord {
  readonly rows: readonly TruthRow[];
  readonly reason?: string;
}

export interface TruthRow {
  /** Of the field, in %: it goes from 1 − strength / 200 to 1 + strength / 200 over the brain. */
  readonly strength: number;
  readonly who: string;
  readonly method: string;
  readonly figures?: TruthFigures;
  readonly reason?: string;
}

/** In %; docs/n4.md has the definitions. */
export interface TruthFigures {
  readonly fieldError: number;
  readonly whiteMatterCv: number;
  readonly cjv: number;
  readonly relativeMae: { readonly csf: number; readonly gm: number; readonly wm: number };
}

/** One of our own instruction sets as timed by the npm package `benchmark`. */
export interface LevelTimes {
  readonly backend: string;
  readonly simd: string;
  /** Mean, and half the width of its 95 % interval in percent. */
  readonly meanMs: number;
  readonly marginPercent: number;
  readonly samples: readonly number[];
}

/** Whole processes, in turns. */
export interface Startup {
  readonly voxnormMs: readonly number[];
  readonly nodeMs: readonly number[];
}

const folder = join(root, "bench", "results");

/** Writes a new file, named by date and commit, and returns its path in the repository. */
export function keep(record: BenchRecord): string {
  mkdirSync(folder, { recursive: true });
  const stem = `${record.date.slice(0, 10)}-${record.voxnorm.commit}`;
  let name = `${stem}.json`;
  for (let n = 2; existsSync(join(folder, name)); n++) name = `${stem}-${n}.json`;
  writeFileSync(join(folder, name), `${text(record)}\n`, { flag: "wx" });
  return `bench/results/${name}`;
}

/** The record of the latest date, with its path in the repository. Records of an earlier form are history. */
export function newest(): { path: string; record: BenchRecord } | undefined {
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({
      path: `bench/results/${name}`,
      record: JSON.parse(readFileSync(join(folder, name), "utf8")) as BenchRecord,
    }))
    .filter(({ record }) => record.truth !== undefined)
    .sort((a, b) => a.record.date.localeCompare(b.record.date))
    .at(-1);
}

/** As a person reads it: a run a line. Five digits of what is no whole number are more than a machine repeats. */
function text(record: BenchRecord): string {
  const rounded = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  const flat = /\{[^{}[\]]*\}|\[[^{}[\]"]*\]/g;
  return JSON.stringify(record, rounded, 1).replace(flat, (part) => part.replace(/\n\s*/g, " "));
}
