/** One job: read, compute, write. */
import type { Backend, Progress } from "../backend/backend.ts";
import { all, settleAll } from "../concurrent.ts";
import { startDigest } from "../digest.ts";
import { VoxnormError } from "../errors.ts";
import type { EncodeOptions } from "../io/index.ts";
import { type DecodeOptions, encodeAll, writeFileAtomic, writeVolumes } from "../io/index-node.ts";
import type { EncodeReport } from "../io/nifti-stored.ts";
import { pipeline } from "../pipeline.ts";
import type { Report } from "../report.ts";
import { inputsOfEach, type SeriesReport, startSeries } from "../series.ts";
import type { Kind } from "../slots.ts";
import type { BoundStep } from "../step.ts";
import type { Mask, Volume, Warning } from "../volume.ts";
import type { Job, Plan } from "./names.ts";
import { warn } from "./outcome.ts";
import { makeFolder, sharedInputs } from "./outputs.ts";
import { dash, readFrom, readMasksFrom, writeStdout } from "./streams.ts";

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
  /** Those that are told. */
  readonly digests: boolean | "output";
  readonly gzip: boolean;
  /** How the image is stored; other outputs are `float32`. */
  readonly storage: Pick<EncodeOptions, "datatype" | "level">;
  readonly read: Reader;
}

export interface Done {
  /** With a part for each volume where the input is a series. */
  readonly report: Report | SeriesReport;
  /** Its parts, of which there is one where it is none of a series. */
  readonly volumes: SeriesReport["volumes"];
  /** What the steps warned of, with the volume's number in a series. */
  readonly warnings: readonly Warning[];
  /** How the image's voxels were stored, and what that changed. */
  readonly stored: EncodeReport | undefined;
  readonly timings: Timings;
}

/**
 * Reads, writes, and leaves nothing where it fails. A series is worked on volume by volume. What the reader
 * warned of goes to `warnings` at once.
 */
export async function work(
  job: Job,
  shop: Shop,
  warnings: Warning[],
  onProgress: (progress: Progress) => void,
): Promise<Done> {
  const { bound, plan, backend, signal, gzip, storage, digests } = shop;
  // Hashed while other files are read and the image is worked on.
  const hash = (volume: Mask) => (digests === true && backend.threads > 1 ? startDigest(volume, backend) : undefined);
  const [{ image, ...inputs }, decodeMs] = await timed(() => readInputs(job, shop, warnings, hash));
  const outputs = Object.keys(job.outputs);
  const inPlace = shop.read.isAlone(job.input);
  const context = { backend, signal, inputs, outputs, digests, inPlace, onProgress };
  const { made, report: finish } = await startSeries(pipeline([bound]), image, context);
  if (signal.aborted) throw new VoxnormError("Cancelled", "interrupted; nothing was written");

  const describe = async () => {
    const { volumes, ...ran } = await finish();
    const isSeries = volumes.length > 1;
    const found = volumes.flatMap(({ warnings }, index) => {
      const which = isSeries ? `volume ${index + 1} of ${volumes.length}: ` : "";
      return warnings.map(({ code, message }) => ({ code, message: which + message }));
    });
    warnings.push(...found);
    return { report: isSeries ? { ...ran, volumes } : { ...ran, ...volumes[0]! }, volumes, found };
  };
  let stored: EncodeReport | undefined;
  const write = async () => {
    await makeFolder(plan);
    const others = Object.entries(job.outputs).map(([name, path]) => [path, made.outputs[name] ?? []] as const);
    // What the file said of the image beyond its voxels holds for the other outputs, too.
    const files = [[job.output, made.images] as const, ...others].map(
      ([path, each]) => [path, each.map((volume, index) => ({ ...volume, meta: made.images[index]!.meta }))] as const,
    );
    const options = (path: string) => {
      const { level } = storage;
      if (path !== job.output) return { backend, signal, level };
      return { backend, signal, ...storage, onReport: (report: EncodeReport) => (stored = report) };
    };
    const onDisk = files.filter(([path]) => path !== dash);
    await Promise.all(onDisk.map(([path, each]) => writeVolumes(path, each, options(path))));
    // Last, since it cannot be taken back.
    for (const [path, each] of files) {
      if (path === dash) await writeStdout(await encodeAll(each, { gzip, ...options(path) }));
    }
  };
  // The output is hashed while it is packed.
  const [{ report, volumes, found }, [, encodeMs]] = await all(backend.threads, [describe, () => timed(write)]);
  const computeMs = volumes.flatMap(({ steps }) => steps).reduce((sum, step) => sum + step.computeMs, 0);
  const timings = { decodeMs, computeMs, encodeMs };
  if (job.report !== undefined) {
    const bytes = new TextEncoder().encode(`${JSON.stringify({ ...report, stored, timings }, null, 2)}\n`);
    await (job.report === dash ? writeStdout(bytes) : writeFileAtomic(job.report, bytes));
  }
  return { report, volumes, stored, warnings: found, timings };
}

/** All that `work` does before it computes. Writes nothing. */
export async function rehearse(job: Job, shop: Shop, warnings: Warning[]): Promise<readonly Volume[]> {
  const { bound } = shop;
  const inputs = await readInputs(job, shop, warnings);
  const wanted = ["image", ...Object.keys(job.outputs)];
  for (const each of inputsOfEach<Mask | string>(inputs, inputs.image.length)) {
    bound.check(each as { image: Volume }, wanted);
  }
  return inputs.image;
}

/** The volumes of a job by slot, or the rules in their place. Read at once; told of in the slots' order. */
async function readInputs(
  job: Job,
  { bound: { step }, read: { read, tell }, backend }: Shop,
  warnings: Warning[],
  onRead: (volume: Mask) => void = () => {},
) {
  const others = Object.entries(job.inputs).filter(([name, value]) => !step.inputs[name]!.rules.includes(value));
  const files = [["image", job.input] as const, ...others];
  const found = await settleAll(
    backend.threads,
    files.map(([name, path]) => async () => {
      const volumes = await read(path, step.inputs[name]!.kind);
      for (const volume of volumes) onRead(volume);
      return volumes;
    }),
  );
  const inputs: Record<string, readonly Mask[] | string> = { ...job.inputs };
  for (const [index, [name, path]] of files.entries()) {
    const each = found[index]!;
    // Of several failures the first in order counts.
    if (each.status === "rejected") throw each.reason;
    tell(path, each.value, warnings);
    inputs[name] = each.value;
  }
  return inputs as typeof inputs & { image: readonly Volume[] };
}

export interface Reader {
  read(path: string, kind: Kind): Promise<readonly Mask[]>;
  /** Tells what the reader warned of, and adds it to `warnings`. */
  tell(path: string, volumes: readonly Mask[], warnings: Warning[]): void;
  /** Whether the volumes of a file are read for one job alone, which may use them up. */
  isAlone(path: string): boolean;
}

/** Reads what several jobs share once; told warnings are not told again. */
export function reader(bound: BoundStep, plan: Plan, options: DecodeOptions): Reader {
  const shared = sharedInputs(bound.step, plan.jobs);
  const kept = new Map<string, Promise<readonly Mask[]>>();
  const told = new Set<string>();
  return {
    read(path, kind) {
      // One file may be an image and a mask.
      const key = `${kind} ${path}`;
      const reading = kept.get(key) ?? (kind === "mask" ? readMasksFrom : readFrom)(path, options);
      if (shared.has(path)) kept.set(key, reading);
      return reading;
    },
    tell(path, [first], warnings) {
      // The volumes of a file have them in common.
      const own = first?.meta.warnings ?? [];
      // At once, so that the last line stays how the command ended.
      for (const { message } of told.has(path) ? [] : own) warn(`${path}: ${message}`);
      if (shared.has(path)) told.add(path);
      warnings.push(...own);
    },
    isAlone: (path) => !shared.has(path),
  };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}
