/** One job: read, compute, write. */
import type { Backend, Progress } from "../backend/backend.ts";
import { VoxnormError } from "../errors.ts";
import type { EncodeOptions } from "../io/index.ts";
import { type DecodeOptions, encode, writeFileAtomic, writeVolume } from "../io/index-node.ts";
import type { EncodeReport } from "../io/nifti-stored.ts";
import { pipeline } from "../pipeline.ts";
import type { Report } from "../report.ts";
import type { BoundStep } from "../step.ts";
import type { Grid, Volume, Warning } from "../volume.ts";
import type { Job, Plan } from "./names.ts";
import { warn } from "./outcome.ts";
import { makeFolder, sharedInputs } from "./outputs.ts";
import { dash, readFrom, writeStdout } from "./streams.ts";

export interface Timings {
  decodeMs: number;
  computeMs: number;
  encodeMs: number;
}

/** What all jobs of a call have in common. */
export interface Shop {
  readonly bound: BoundStep;
  readonly plan: Plan;
  readonly backend: Backend;
  readonly signal: AbortSignal;
  readonly gzip: boolean;
  /** How the image is stored; other outputs are `float32`. */
  readonly storage: Pick<EncodeOptions, "datatype" | "level">;
  readonly read: Reader;
}

export interface Done {
  readonly report: Report;
  /** How the image's voxels were stored, and what that changed. */
  readonly stored: EncodeReport | undefined;
  readonly timings: Timings;
}

/** Reads, writes, and leaves nothing where it fails. What the reader warned of goes to `warnings` at once. */
export async function work(
  job: Job,
  { bound, plan, backend, signal, gzip, storage, read }: Shop,
  warnings: Warning[],
  onProgress: (progress: Progress) => void,
): Promise<Done> {
  const [{ image, ...inputs }, decodeMs] = await timed(() => readInputs(job, bound, read, warnings));
  const outputs = Object.keys(job.outputs);
  const context = { backend, signal, inputs, outputs, digests: true, onProgress };
  const made = await pipeline([bound]).run(image as Volume, context);
  if (signal.aborted) throw new VoxnormError("Cancelled", "interrupted; nothing was written");

  let stored: EncodeReport | undefined;
  const [, encodeMs] = await timed(async () => {
    await makeFolder(plan);
    const others = Object.entries(job.outputs).map(([name, path]) => [path, made.outputs[name]] as const);
    // What the file said of the image beyond its voxels holds for the other outputs, too.
    const { meta } = made.image;
    const all = [[job.output, made.image] as const, ...others].flatMap(([path, volume]) =>
      volume === undefined ? [] : [[path, { ...volume, meta }] as const],
    );
    const options = (path: string) => {
      const { level } = storage;
      if (path !== job.output) return { backend, signal, level };
      return { backend, signal, ...storage, onReport: (report: EncodeReport) => (stored = report) };
    };
    const files = all.filter(([path]) => path !== dash);
    await Promise.all(files.map(([path, volume]) => writeVolume(path, volume, options(path))));
    // Last, since it cannot be taken back.
    for (const [path, volume] of all) {
      if (path === dash) await writeStdout(await encode(volume, { gzip, ...options(path) }));
    }
  });
  const computeMs = made.report.steps.reduce((sum, { computeMs }) => sum + computeMs, 0);
  const timings = { decodeMs, computeMs, encodeMs };
  if (job.report !== undefined) {
    const report = { ...made.report, stored, timings };
    await writeFileAtomic(job.report, new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  }
  return { report: made.report, stored, timings };
}

/** All that `work` does before it computes. Writes nothing. */
export async function rehearse(job: Job, { bound, read }: Shop, warnings: Warning[]): Promise<Grid> {
  const inputs = await readInputs(job, bound, read, warnings);
  bound.check(inputs, ["image", ...Object.keys(job.outputs)]);
  return inputs.image.grid;
}

/** The volumes of a job by slot, or the rules in their place. */
async function readInputs(job: Job, { step }: BoundStep, read: Reader, warnings: Warning[]) {
  const inputs: { image: Volume } & Record<string, Volume | string> = { image: await read(job.input, warnings) };
  for (const [name, value] of Object.entries(job.inputs)) {
    inputs[name] = step.inputs[name]?.rules.includes(value) ? value : await read(value, warnings);
  }
  return inputs;
}

export type Reader = (path: string, warnings: Warning[]) => Promise<Volume>;

/** Reads what several jobs share once; told warnings are not told again. */
export function reader(bound: BoundStep, plan: Plan, options: DecodeOptions): Reader {
  const shared = sharedInputs(bound.step, plan.jobs);
  const kept = new Map<string, Promise<Volume>>();
  const read = async (path: string) => {
    const volume = await readFrom(path, options);
    // At once, so that the last line stays how the command ended.
    for (const { message } of volume.meta.warnings) warn(`${path}: ${message}`);
    return volume;
  };
  return async (path, warnings) => {
    const reading = kept.get(path) ?? read(path);
    if (shared.has(path)) kept.set(path, reading);
    const volume = await reading;
    warnings.push(...volume.meta.warnings);
    return volume;
  };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}
