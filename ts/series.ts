/** The volumes of a series, such as time points: a pipeline runs on each of them, one after the other. */
import { VoxnormError } from "./errors.ts";
import { finished, type Pipeline, type PipelineContext, type PipelineResult, type Started } from "./pipeline.ts";
import type { Report } from "./report.ts";
import type { Mask, Volume } from "./volume.ts";

export interface SeriesContext extends Omit<PipelineContext, "inputs" | "into"> {
  /** As of a pipeline, or a list: of one volume for all, or of one for each. */
  readonly inputs?: Readonly<Record<string, readonly Mask[] | Mask | string | undefined>>;
}

export interface SeriesResult {
  readonly images: readonly Volume[];
  /** The outputs asked for, in the order of the images. */
  readonly outputs: Readonly<Record<string, readonly Volume[]>>;
  readonly report: SeriesReport;
}

/** What ran on each volume, in their order. */
export interface SeriesReport extends Pick<Report, "voxnorm" | "backend"> {
  readonly volumes: readonly Omit<Report, "voxnorm" | "backend">[];
}

/** Errors name the volume that they are about. */
export function runSeries(
  pipeline: Pipeline,
  images: readonly Volume[],
  context: SeriesContext = {},
): Promise<SeriesResult> {
  return finished(startSeries(pipeline, images, context));
}

/** As `runSeries`, but does not wait for digests. */
export async function startSeries(
  pipeline: Pipeline,
  images: readonly Volume[],
  context: SeriesContext = {},
): Promise<Started<SeriesResult>> {
  if (images.length === 0) throw new VoxnormError("BadVolume", "series: expected at least one volume, got none");
  if ((context as PipelineContext).into !== undefined) {
    throw new VoxnormError("BadOption", "series: into: expected none, as the volumes would overwrite each other's");
  }
  const { onProgress } = context;
  const count = images.length;
  const inputs = inputsOfEach(context.inputs ?? {}, count);
  const results: Started<PipelineResult>[] = [];
  for (const [index, image] of images.entries()) {
    const tell: PipelineContext["onProgress"] =
      onProgress &&
      (({ fraction, ...facts }) =>
        onProgress({ ...(count > 1 ? { volume: index + 1 } : {}), ...facts, fraction: (index + fraction) / count }));
    try {
      results.push(await pipeline.start(image, { ...context, inputs: inputs[index]!, onProgress: tell }));
    } catch (error) {
      if (!(error instanceof VoxnormError) || count === 1) throw error;
      const message = `volume ${index + 1} of ${count}: ${error.message}`;
      throw new VoxnormError(error.code, message, { ...error.detail, volume: index + 1 }, error.cause);
    }
  }
  const { outputs } = results[0]!.made;
  const made = {
    images: results.map(({ made }) => made.image),
    outputs: Object.fromEntries(
      Object.keys(outputs).map((name) => [name, results.map(({ made }) => made.outputs[name]!)]),
    ),
  };
  const report = async (): Promise<SeriesReport> => {
    const reports: Report[] = [];
    for (const { report } of results) reports.push(await report());
    const [{ voxnorm, backend }] = reports as [Report];
    return { voxnorm, backend, volumes: reports.map(({ voxnorm: _, backend: __, ...own }) => own) };
  };
  return { made, report };
}

/** The inputs of each of `count` volumes. Throws `GridMismatch` for a list of another length. */
export function inputsOfEach<T>(
  inputs: Readonly<Record<string, readonly T[] | T>>,
  count: number,
): Readonly<Record<string, T>>[] {
  for (const [name, given] of Object.entries(inputs)) {
    if (!Array.isArray(given) || given.length === 1 || given.length === count) continue;
    const expected = count === 1 ? "one volume" : `one volume or ${count}`;
    const message = `series: ${name}: expected ${expected}, as the image has, got ${given.length}`;
    throw new VoxnormError("GridMismatch", message, { input: name, expected: count, got: given.length });
  }
  const at = (given: readonly T[] | T, index: number) =>
    Array.isArray(given) ? given[given.length === 1 ? 0 : index] : given;
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(Object.entries(inputs).map(([name, given]) => [name, at(given, index)])),
  );
}
