/** Runs bound steps in order on one image and gathers their report. */
import type { Progress } from "./backend/backend.ts";
import { sharedBackend } from "./backend/shared.ts";
import { all } from "./concurrent.ts";
import { digest } from "./digest.ts";
import { VoxnormError } from "./errors.ts";
import { backendReport, type Report, type StepReport, volumeReport } from "./report.ts";
import { expectObject, show } from "./schema.ts";
import type { BoundStep, RunContext } from "./step.ts";
import { version } from "./version.ts";
import type { Mask, Volume, Warning } from "./volume.ts";

export interface PipelineContext extends Omit<RunContext, "onProgress"> {
  /** As of a step. Not where the report holds digests of inputs. */
  readonly inPlace?: boolean | undefined;
  /** Volumes, or rules in their place, for the steps' inputs other than the image, by name. */
  readonly inputs?: Readonly<Record<string, Mask | string | undefined>>;
  /** Outputs wanted besides the image, by name. */
  readonly outputs?: readonly string[];
  /** Whether the report holds digests of inputs and output, or of the output alone. */
  readonly digests?: boolean | "output";
  readonly onProgress?: ((progress: Progress & { readonly step: string }) => void) | undefined;
}

export interface PipelineResult {
  readonly image: Volume;
  /** The outputs asked for; where several steps make one of the same name, the last one's. */
  readonly outputs: Readonly<Record<string, Volume>>;
  readonly report: Report;
}

/** A result whose digests may still be computed. */
export interface Started<Made extends { report: unknown }> {
  readonly made: Omit<Made, "report">;
  /** With the digests, where they are wanted: with one thread they are computed at this call. */
  report(): Promise<Made["report"]>;
}

export interface Pipeline {
  readonly steps: readonly BoundStep[];
  run(image: Volume, context?: PipelineContext): Promise<PipelineResult>;
  /** As `run`, but does not wait for digests: the image can be written while they are computed. */
  start(image: Volume, context?: PipelineContext): Promise<Started<PipelineResult>>;
}

/** What a start comes to in the end. */
export async function finished<Made extends { report: unknown }>(started: Promise<Started<Made>>): Promise<Made> {
  const { made, report } = await started;
  return { ...made, report: await report() } as Made;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of steps holds steps of all types
type AnyStep = BoundStep<any, any, any>;

/** A pipeline keeps no state: one may run on many images at once. */
export function pipeline(steps: readonly AnyStep[]): Pipeline {
  if (steps.length === 0) throw new VoxnormError("BadOption", "pipeline: expected at least one step, got none");
  return {
    steps,
    run: (image, context = {}) => finished(start(steps, image, context)),
    start: (image, context = {}) => start(steps, image, context),
  };
}

async function start(
  steps: readonly AnyStep[],
  input: Volume,
  context: PipelineContext,
): Promise<Started<PipelineResult>> {
  expectObject("pipeline", "context", context);
  const backend = context.backend ?? (await sharedBackend());
  const { signal, gridTolerance, digests = false, onProgress } = context;
  const given = Object.entries(context.inputs ?? {}).filter(([, value]) => value !== undefined);
  expectKnown(
    "input",
    given.map(([name]) => name),
    steps.map(({ step }) => step.inputs),
  );
  expectKnown(
    "output",
    context.outputs ?? [],
    steps.map(({ step }) => step.outputs),
  );
  const made = ["image", ...(context.outputs ?? [])];
  const unasked = Object.keys(context.into ?? {}).find((name) => !made.includes(name));
  if (unasked !== undefined) {
    const message = `pipeline: into: expected outputs asked for (${made.join(", ")}), got ${show(unasked)}`;
    throw new VoxnormError("BadOption", message, { output: unasked });
  }

  let image = input;
  const outputs: Record<string, Volume> = {};
  const reports: (Omit<StepReport, "inputs"> & { inputs: Record<string, Mask | string> })[] = [];
  const warnings: Warning[] = [];
  for (const [index, bound] of steps.entries()) {
    const { step, profile, options } = bound;
    const own = Object.fromEntries(given.filter(([name]) => name in step.inputs)) as Record<string, Mask | string>;
    const wanted = ["image", ...(context.outputs ?? []).filter((name) => name in step.outputs)];
    const tell =
      onProgress &&
      ((progress: Progress) =>
        onProgress({ ...progress, step: step.id, fraction: (index + progress.fraction) / steps.length }));
    const start = performance.now();
    // Of several steps that make an output of one name, the last one's counts.
    const isFinal = (name: string) =>
      wanted.includes(name) && !steps.slice(index + 1).some((later) => name in later.step.outputs);
    const into = Object.fromEntries(Object.entries(context.into ?? {}).filter(([name]) => isFinal(name)));
    // What a step before has made, nobody else knows of.
    const inPlace = index > 0 || (context.inPlace === true && digests !== true);
    const through = { backend, signal, gridTolerance, into, inPlace, onProgress: tell, onWarning: context.onWarning };
    const made = await bound.run({ image, ...own }, wanted, through);
    warnings.push(...made.warnings);
    const computeMs = performance.now() - start;
    const { image: next, ...others } = made.outputs;
    image = next as Volume;
    Object.assign(outputs, others);
    const { fitted, measures } = made;
    reports.push({ step: step.id, profile, options, inputs: own, fitted, measures, computeMs });
  }
  // Its header lets the writer keep what a file said of the image beyond its voxels.
  const result = { ...image, meta: { ...image.meta, ...(input.meta.header ? { header: input.meta.header } : {}) } };
  const others = reports.flatMap(({ inputs }) => Object.values(inputs)).filter((value) => typeof value !== "string");
  const hashed = digests ? [...new Set<Mask>(digests === "output" ? [result] : [input, result, ...others])] : [];
  // At once, as each takes a thread for as long as a small image's correction.
  const hash = () =>
    all(
      backend.threads,
      hashed.map((volume) => async () => [volume, { digest: await digest(volume, backend) }] as const),
    );
  const early = backend.threads > 1 ? hash() : undefined;
  // Who asks for the report is told.
  early?.catch(() => {});
  const report = async (): Promise<Report> => {
    const found = new Map(await (early ?? hash()));
    const inputReport = (value: Mask | string) => (typeof value === "string" ? value : (found.get(value) ?? {}));
    return {
      voxnorm: version,
      backend: backendReport(backend),
      input: volumeReport(input, found.get(input)),
      steps: reports.map((each) => ({
        ...each,
        inputs: Object.fromEntries(Object.entries(each.inputs).map(([name, value]) => [name, inputReport(value)])),
      })),
      output: volumeReport(result, found.get(result)),
      warnings,
    };
  };
  return { made: { image: result, outputs }, report };
}

function expectKnown(what: "input" | "output", names: readonly string[], slots: readonly object[]): void {
  const known = new Set(slots.flatMap((each) => Object.keys(each)).filter((name) => name !== "image"));
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const expected = [...known].join(", ") || "none";
  throw new VoxnormError("BadOption", `pipeline: ${what}s: expected ${expected}, got ${show(unknown)}`, {
    [what]: unknown,
  });
}
