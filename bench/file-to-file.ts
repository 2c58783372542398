/**
 * From `.nii.gz` to `.nii.gz` as whole processes, in turns: `voxnorm n4` and a peer's script that does the same; their
 * times, peak memory, and the size of what they write.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Backend, createBackend, encode, n4, readVolume, type Volume } from "../dist/index.js";
import { niivue } from "./cases/heads.ts";
import { plainEnvironment, root, scratch, withheld } from "./files.ts";
import type { Environment } from "./peers/environment.ts";
import type { FileRecord, FileRow, FileRun } from "./record.ts";
import type { Effort } from "./run-case.ts";
import { standardDeviation } from "./statistics.ts";
import { missing } from "./volumes.ts";

interface FileCase {
  readonly id: string;
  readonly title: string;
  readonly shrinkFactor: number;
  readonly iterations: number[];
  readonly rounds: number;
}

export const fileCases: readonly FileCase[] = [
  {
    id: "file-to-file",
    title: `File to file, N4, ${niivue.title}, shrink factor 4, 4 × 10 iterations`,
    shrinkFactor: 4,
    iterations: [10, 10, 10, 10],
    rounds: 5,
  },
  {
    id: "file-to-file-shrink1",
    title: `File to file, N4, ${niivue.title}, shrink factor 1, 1 iteration (for its memory)`,
    shrinkFactor: 1,
    iterations: [1, 0, 0, 0],
    rounds: 1,
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
  { isQuick, rounds: most }: Effort,
  backend: Backend,
  say: (line: string) => void,
): Promise<FileRecord> {
  const { id, title, shrinkFactor, iterations } = fileCase;
  const inputs = { image: niivue.image, mask: niivue.mask };
  const options = n4({
    shrinkFactor,
    iterations: isQuick ? [1, 0, 0, 0] : iterations,
    convergenceThreshold: 0,
  }).options;
  const about = { id, title, inputs, options, withheld };
  const absent = missing(inputs);
  if (process.platform !== "linux") return { ...about, voxels: 0, rows: [], reason: "peak memory is read from /proc" };
  if (absent.length > 0) return { ...about, voxels: 0, rows: [], reason: `no such file: ${absent.join(", ")}` };

  mkdirSync(scratch, { recursive: true });
  const [image, mask] = [join(root, inputs.image), join(root, inputs.mask)];
  const contenders = [1, 2].flatMap((threads) => [
    ours("native", threads, [image, mask], options),
    ours("wasm", threads, [image, mask], options),
    simpleitk(threads, [image, mask], options, environment),
  ]);
  const rounds = Math.min(fileCase.rounds, most);
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
        ...(row.peer && compared ? { difference: difference(compared, written, region) } : {}),
      });
    }
  }
  return { ...about, voxels: region.data.length, rows };
}

type Options = Readonly<Record<string, unknown>>;

function ours(backend: "native" | "wasm", threads: number, [image, mask]: string[], options: Options): Contender {
  const output = join(scratch, `file-${backend}-${threads}.nii.gz`);
  const { shrinkFactor, iterations, convergenceThreshold } = options as Record<string, number[]>;
  const flags = [
    ...["--shrink-factor", shrinkFactor!.join(",")],
    ...["--iterations", iterations!.join(",")],
    ...["--convergence-threshold", String(convergenceThreshold)],
    ...["--backend", backend, "--threads", String(threads)],
  ];
  const preload = ["--require", join(root, "bench", "peak-memory.cjs")];
  const command = [join(root, "dist", "cli", "bin.js"), "n4", image!, "-o", output, "--mask", mask!, ...flags];
  return {
    row: { who: `voxnorm ${backend}`, threads },
    name: backend,
    output,
    program: process.execPath,
    args: [...preload, ...command, "--json", "--quiet"],
    idle: [...preload, "-e", "0"],
    runs: [],
  };
}

function simpleitk(threads: number, [image, mask]: string[], options: Options, environment: Environment): Contender {
  const output = join(scratch, `file-simpleitk-${threads}.nii.gz`);
  const wrapper = [join(root, "bench", "peers", "peak_memory.py"), note];
  const script = join(root, "bench", "peers", "simpleitk_n4_file.py");
  const row = { who: "SimpleITK", peer: "simpleitk-n4", threads, gzipLevel: "its default" };
  const common = { row, output, runs: [] };
  if ("reason" in environment) return { ...common, program: "", args: [], idle: [], reason: environment.reason };
  return {
    ...common,
    program: environment.python,
    args: [...wrapper, script, image!, mask!, output, JSON.stringify(options), String(threads)],
    idle: [...wrapper, "import SimpleITK"],
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

function difference(ours: Volume, theirs: Volume, mask: Volume): number {
  const voxels = [...mask.data.keys()].filter((i) => mask.data[i] === 1);
  return 100 * standardDeviation(voxels.map((i) => Math.log(theirs.data[i]! / ours.data[i]!)));
}
