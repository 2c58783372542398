/**
 * From `.nii.gz` to `.nii.gz` as whole processes, in turns: our command and peers' scripts that do the same; their
 * times, peak memory, and the size of what they write.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type Backend,
  type BoundStep,
  createBackend,
  encode,
  n4,
  readVolume,
  type Volume,
  zscore,
} from "../dist/index.js";
import { niivue } from "./cases/heads.ts";
import { plainEnvironment, root, scratch, withheld } from "./files.ts";
import type { Environment, Kind } from "./peers/environment.ts";
import type { FileRecord, FileRow, FileRun } from "./record.ts";
import { type Effort, roundsOf } from "./run-case.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { missing } from "./volumes.ts";

interface FileCase {
  readonly id: string;
  readonly title: string;
  /** The step of our command, and its flags besides input, mask and output. */
  readonly command: readonly string[];
  readonly bound: BoundStep<never>;
  readonly environment: Kind;
  /** Whole scripts, their names and the threads that they can be told to use. */
  readonly peers: readonly {
    who: string;
    id: string;
    threads: readonly number[];
    script: readonly string[];
    idle: string;
    /** Whether it does the method's arithmetic itself, rather than by a package for that. */
    isByHand?: boolean;
  }[];
  /** By how much a peer's image differs from ours, in %. */
  difference(ours: Volume, theirs: Volume, mask: Volume): number;
  readonly rounds: number;
}

const threadCounts = [1, 2];

function ofN4(shrinkFactor: number, iterations: number[]) {
  return {
    command: [
      ...["n4", "--shrink-factor", `${shrinkFactor}`, "--iterations", iterations.join(",")],
      ...["--convergence-threshold", "0"],
    ],
    bound: n4({ shrinkFactor, iterations, convergenceThreshold: 0 }) as BoundStep<never>,
    environment: "n4" as const,
    peers: [
      {
        ...{ who: "SimpleITK", id: "simpleitk-n4", threads: threadCounts },
        ...{ script: ["simpleitk_n4_file.py"], idle: "import SimpleITK" },
      },
    ],
    difference: logDifference,
  };
}

/** The packages of those who normalise today, and NumPy with NiBabel as they use it in a notebook. */
const normalising = [
  { name: "intensity-normalization", imports: "intensity_normalization", threads: [1] },
  { name: "numpy and nibabel", imports: "nibabel", threads: [1], isByHand: true },
  { name: "torchio", imports: "torchio", threads: threadCounts },
  { name: "monai", imports: "monai.transforms", threads: threadCounts },
];

export const fileCases: readonly FileCase[] = [
  {
    ...ofN4(4, [10, 10, 10, 10]),
    id: "file-to-file",
    title: `File to file, N4, ${niivue.title}, shrink factor 4, 4 × 10 iterations`,
    rounds: 10,
  },
  {
    ...ofN4(1, [1, 0, 0, 0]),
    id: "file-to-file-shrink1",
    title: `File to file, N4, ${niivue.title}, shrink factor 1, 1 iteration (for its memory)`,
    rounds: 1,
  },
  {
    id: "file-to-file-zscore",
    title: `File to file, z-score, ${niivue.title}, statistics of the mask`,
    command: ["zscore", "--region", "mask"],
    bound: zscore({ region: "mask" }) as BoundStep<never>,
    environment: "normalise",
    peers: normalising.map(({ name, imports, threads, isByHand }) => ({
      ...{ who: name, id: `${name}-file`, threads, idle: `import ${imports}`, isByHand: isByHand ?? false },
      script: ["normalise_file.py", name],
    })),
    difference: valueDifference,
    rounds: 8,
  },
];

/** One way from file to file, with as many threads. */
interface Contender {
  readonly row: Omit<FileRow, "runs" | "bytes">;
  /** The backend, where it is ours. */
  readonly name?: "native" | "wasm";
  readonly output: string;
  readonly program: string;
  readonly args: readonly string[];
  /** The same kind of process with nothing to do. */
  readonly idle: readonly string[];
  readonly runs: FileRun[];
  reason?: string;
}

export async function fileToFile(
  fileCase: FileCase,
  environment: Environment,
  effort: Effort,
  backend: Backend,
  say: (line: string) => void,
): Promise<FileRecord> {
  const { id, title, bound, peers } = fileCase;
  const inputs = { image: niivue.image, mask: niivue.mask };
  const { options } = bound;
  const about = { id, title, inputs, options, withheld };
  const absent = missing(inputs);
  if (process.platform !== "linux") return { ...about, voxels: 0, rows: [], reason: "peak memory is read from /proc" };
  if (absent.length > 0) return { ...about, voxels: 0, rows: [], reason: `no such file: ${absent.join(", ")}` };

  mkdirSync(scratch, { recursive: true });
  const [image, mask] = [join(root, inputs.image), join(root, inputs.mask)];
  const files = [image, mask] as const;
  const contenders = threadCounts.flatMap((threads) => [
    ...(["native", "wasm"] as const).map((name) => ours(name, threads, files, fileCase)),
    ...peers
      .filter((peer) => peer.threads.includes(threads))
      .map((peer) => theirs(peer, threads, files, fileCase, environment)),
  ]);
  const rounds = roundsOf(fileCase, effort);
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    for (const contender of contenders) turn(contender);
  }
  const region = await readVolume(mask, { backend });
  const first = contenders.find(({ reason, row }) => reason === undefined && row.peer === undefined);
  const compared = first && (await readVolume(first.output, { backend }));
  const rows: FileRow[] = [];
  for (const contender of contenders) {
    const { row, name, output, runs, reason } = contender;
    if (reason !== undefined) rows.push({ ...row, runs: [], reason });
    else {
      const written = await readVolume(output, { backend });
      rows.push({
        ...{ ...row, runs, bytes: statSync(output).size, idleKb: runIdle(contender) },
        gzipLevel: row.gzipLevel ?? (await levelOf(written, output, name!)),
        ...(row.peer && compared ? { difference: fileCase.difference(compared, written, region) } : {}),
      });
    }
  }
  return { ...about, voxels: region.data.length, rows };
}

type Files = readonly [image: string, mask: string];

function ours(backend: "native" | "wasm", threads: number, [image, mask]: Files, { id, command }: FileCase): Contender {
  const output = join(scratch, `${id}-${backend}-${threads}.nii.gz`);
  const preload = ["--require", join(root, "bench", "peak-memory.cjs")];
  const flags = ["--mask", mask, "-o", output, "--backend", backend, "--threads", String(threads)];
  return {
    row: { who: `voxnorm ${backend}`, threads },
    name: backend,
    output,
    program: process.execPath,
    args: [...preload, join(root, "dist", "cli", "bin.cjs"), ...command, image, ...flags, "--json", "--quiet"],
    idle: [...preload, "-e", "0"],
    runs: [],
  };
}

function theirs(
  { who, id: peer, script: [script, ...args], idle, isByHand = false }: FileCase["peers"][number],
  threads: number,
  [image, mask]: Files,
  { id, bound }: FileCase,
  environment: Environment,
): Contender {
  const output = join(scratch, `${id}-${peer.replaceAll(" ", "-")}-${threads}.nii.gz`);
  const wrapper = [join(root, "bench", "peers", "peak_memory.py"), note];
  const common = { row: { who, peer, threads, isByHand, gzipLevel: "its default" }, output, runs: [] };
  if ("reason" in environment) return { ...common, program: "", args: [], idle: [], reason: environment.reason };
  const work = [join(root, "bench", "peers", script!), ...args];
  return {
    ...common,
    program: environment.python,
    args: [...wrapper, ...work, image, mask, output, JSON.stringify(bound.options), String(threads)],
    idle: [...wrapper, idle],
  };
}

/** Where a process notes its peak memory. */
const note = join(scratch, "peak-memory.txt");

function turn(contender: Contender): void {
  if (contender.reason !== undefined) return;
  try {
    const { stdout, ...run } = measured(contender.program, contender.args);
    const timings = contender.row.peer === undefined ? JSON.parse(stdout).inputs[0].timings : undefined;
    contender.runs.push({ ...run, ...(timings ? { timings } : {}) });
  } catch (error) {
    // A peer may be missing; we may not.
    if (contender.row.peer === undefined) throw error;
    contender.reason = (error as Error).message;
  }
}

function runIdle({ program, idle }: Contender): number {
  return measured(program, idle).peakKb;
}

function measured(program: string, args: readonly string[]): { ms: number; peakKb: number; stdout: string } {
  const env = { ...plainEnvironment, VOXNORM_BENCH_PEAK: note };
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1)?.replaceAll(root, "") ?? `exit code ${status}`);
  return { ms, peakKb: Number(readFileSync(note, "utf8")), stdout };
}

/** The level at which our own writer on this backend makes a file of this size. */
async function levelOf(volume: Volume, path: string, name: "native" | "wasm"): Promise<string> {
  const size = statSync(path).size;
  const backend = await createBackend({ backend: name, threads: 1 });
  try {
    for (let level = 1; level <= 9; level++) {
      if ((await encode(volume, { gzip: true, level, backend })).length === size) return String(level);
    }
  } finally {
    await backend.close();
  }
  throw new Error(`${path}: expected a level from 1 to 9 to give ${size} bytes, got none`);
}

/** RMS of the logarithm of (theirs / ours) in the mask, its mean removed. */
function logDifference(ours: Volume, theirs: Volume, mask: Volume): number {
  const voxels = [...mask.data.keys()].filter((i) => mask.data[i] === 1);
  return 100 * standardDeviation(voxels.map((i) => Math.log(theirs.data[i]! / ours.data[i]!)));
}

/** RMS of (theirs − ours) over the deviation of ours in the mask. */
function valueDifference(ours: Volume, theirs: Volume, mask: Volume): number {
  const voxels = [...mask.data.keys()].filter((i) => mask.data[i] === 1);
  const rms = Math.hypot(
    ...[standardDeviation, mean].map((of) => of(voxels.map((i) => theirs.data[i]! - ours.data[i]!))),
  );
  return (100 * rms) / standardDeviation(voxels.map((i) => ours.data[i]!));
}
