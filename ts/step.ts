/**
 * What a step is. `defineStep` takes the declaration of a method (inputs, outputs, options with
 * defaults and units, profiles, fitted values) and returns a function that binds options to it.
 * Nothing else in the project repeats what stands there.
 *
 * A bound step fits (finds values in an image) and applies (changes an image by them). `run` does both
 * with the boundary into Rust crossed once.
 */
import { z } from "zod";
import type { Backend, Buffers, Progress } from "./backend/backend.ts";
import { sharedBackend } from "./backend/shared.ts";
import { VoxnormError } from "./errors.ts";
import { defaultGridTolerance, expectGridTolerance, expectSameGrid } from "./grid.ts";
import { badOption, expectObject, parsed, plain, replacements, show } from "./schema.ts";
import type { Given, Made, Slots } from "./slots.ts";
import { expectMask, expectVolume, type Grid, type Volume, type Warning } from "./volume.ts";

export interface StepDeclaration<
  I extends Slots = Slots,
  O extends Slots = Slots,
  S extends z.ZodObject = z.ZodObject,
  F extends z.ZodObject = z.ZodObject,
  P extends string = string,
  M extends z.ZodObject = z.ZodObject,
> {
  /** kebab-case; the same in the API, on the command line and in Rust. */
  readonly id: string;
  readonly title: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** Markdown: formula, mask rule, failures, where it differs from the reference implementation. */
  readonly doc: string;
  /** DICOM modalities it suits. */
  readonly modalities: readonly string[];
  readonly references: readonly string[];
  /** The first is the image that a pipeline hands on, called `image`. */
  readonly inputs: I;
  /** The first is the image that a pipeline hands on, called `image`. */
  readonly outputs: O;
  /** A strict object; every option has a default. */
  readonly options: S;
  /** Named sets of option values; the first is the default. */
  readonly profiles: Readonly<Record<P, z.input<S>>>;
  /** What fitting finds, as JSON. */
  readonly fitted: F;
  /** What applying measures, as JSON: for the report. */
  readonly measures: M;
  /** What a user should know of a result, by code. */
  readonly warnings: Readonly<Record<string, StepWarning<z.output<F>, z.output<M>>>>;
}

/** The schemas of a declaration, each made when it is first asked for: of all the steps there are, a program calls few. */
interface Schemas<S extends z.ZodObject, F extends z.ZodObject, M extends z.ZodObject> {
  options(): S;
  fitted(): F;
  measures(): M;
}

/** Looked for where a call fits, applies or both. Each gives a sentence with its numbers, or nothing. */
export interface StepWarning<Fitted, Measures> {
  /** One line for the documentation, without a full stop. */
  readonly meaning: string;
  /** By the complete options and the inputs that were given. */
  ofCall?(options: Record<string, unknown>, inputs: Record<string, unknown>): string | undefined;
  ofFitted?(fitted: Fitted): string | undefined;
  ofMeasures?(measures: Measures): string | undefined;
}

/** How a call runs. All optional: without a backend, one that all callers share is loaded at first use. */
export interface RunContext {
  readonly backend?: Backend | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Is told what a user should know of the result, as it is found. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
  /** How many mm volumes that must share a grid may differ by. */
  readonly gridTolerance?: number | undefined;
  /**
   * Arrays of the caller's for outputs, by name, each as long as the image and apart from all inputs: written rather than
   * new ones, which the engine would have to collect. Leave them alone until the call settles; a call that fails may
   * leave anything in them.
   */
  readonly into?: Readonly<Record<string, Float32Array>> | undefined;
  /**
   * Whether the image is given up. Steps that change each voxel by its own value, and N4, then write theirs into its place
   * where `into` names none, which spares the memory of a volume; the image's array is the output's then, or holds anything.
   */
  readonly inPlace?: boolean | undefined;
}

export interface Applied<O extends Slots> {
  readonly outputs: Made<O>;
  /** What was measured on the way. */
  readonly measures: Record<string, unknown>;
  /** What `onWarning` was told. */
  readonly warnings: readonly Warning[];
}

/** A step with its options, ready to run on any number of images. It keeps no state between them. */
export interface BoundStep<I extends Slots = Slots, O extends Slots = Slots, Fitted = Record<string, unknown>> {
  readonly step: StepDeclaration;
  readonly profile: string;
  /** Complete: what the defaults, the profile and the caller said, in this order, without what another one replaces. */
  readonly options: Record<string, unknown>;
  /** Throws what `run` would before it reads a voxel: inputs that are missing, unknown or on another grid. */
  check(inputs: Given<I>, wanted?: readonly (keyof O & string)[], context?: RunContext): void;
  fit(inputs: Given<I>, context?: RunContext): Promise<Fitted>;
  apply(
    inputs: Given<I>,
    fitted: Fitted,
    wanted?: readonly (keyof O & string)[],
    context?: RunContext,
  ): Promise<Applied<O>>;
  run(
    inputs: Given<I>,
    wanted?: readonly (keyof O & string)[],
    context?: RunContext,
  ): Promise<Applied<O> & { readonly fitted: Fitted }>;
}

/** A step: call it with options to bind them. Throws `BadOption` naming the option, what was expected and what came. */
export interface Step<I extends Slots, O extends Slots, S extends z.ZodObject, F extends z.ZodObject, P extends string>
  extends StepDeclaration<I, O, S, F, P> {
  (options?: z.input<S> & { profile?: P }): BoundStep<I, O, z.output<F>>;
}

type Phase = "fit" | "apply" | "run";

export function defineStep<
  I extends Slots,
  O extends Slots,
  S extends z.ZodObject,
  F extends z.ZodObject,
  P extends string,
  M extends z.ZodObject,
>(declared: Omit<StepDeclaration<I, O, S, F, P, M>, keyof Schemas<S, F, M>> & Schemas<S, F, M>): Step<I, O, S, F, P> {
  const { options, fitted, measures, ...facts } = declared;
  const bind = (given: object = {}) => bound<I, O, z.output<F>>(step as unknown as StepDeclaration, given);
  const schemas = { options: onceAsked(options), fitted: onceAsked(fitted), measures: onceAsked(measures) };
  const step = Object.defineProperties(Object.assign(bind, facts), schemas) as Step<I, O, S, F, P>;
  return step;
}

/** A property that is made when it is first asked for. */
function onceAsked<T extends object>(make: () => T): PropertyDescriptor {
  let made: T | undefined;
  return { enumerable: true, get: () => (made ??= make()) };
}

function bound<I extends Slots, O extends Slots, Fitted>(
  step: StepDeclaration,
  given: object,
): BoundStep<I, O, Fitted> {
  expectObject(step.id, "options", given);
  const { profile = Object.keys(step.profiles)[0]!, ...own } = given as { profile?: string };
  if (!Object.hasOwn(step.profiles, profile)) {
    throw badOption(step.id, "profile", `expected one of ${Object.keys(step.profiles).join(", ")}`, profile);
  }
  const options = complete(step, step.profiles[profile]!, withoutUndefined(own));
  const firstOutput = Object.keys(step.outputs).slice(0, 1);

  function checked(phase: Phase, inputs: Given<I>, wanted: readonly string[], context: RunContext) {
    expectObject(step.id, "context", context);
    expectOutputs(step, wanted);
    return describe(step, phase, inputs as Record<string, unknown>, context.gridTolerance ?? defaultGridTolerance);
  }

  async function call(
    phase: Phase,
    inputs: Given<I>,
    wanted: readonly string[],
    context: RunContext,
    fitted?: unknown,
  ) {
    const described = checked(phase, inputs, wanted, context);
    const image = inputs["image" as keyof Given<I>] as unknown as Volume;
    const backend = context.backend ?? (await sharedBackend());
    const request = { options, fitted, inputs: described.inputs, outputs: phase === "fit" ? [] : wanted };
    const { signal, onProgress } = context;
    const { buffers } = described;
    const lent = phase === "fit" ? undefined : expectRoom(step.id, context.into, wanted, buffers);
    const isGivenUp = context.inPlace === true && wanted.includes("image") && phase !== "fit" && ownsImage(buffers);
    const into = isGivenUp ? { image: buffers.image as Float32Array, ...lent } : lent;
    const reply = await backend.run({ step: step.id, phase, request, buffers, into, signal, onProgress });
    const { json } = reply;
    const warnings = found(step, options, described.inputs, json);
    for (const warning of warnings) context.onWarning?.(warning);
    return { json, warnings, outputs: volumes(reply.buffers, image.grid) as Made<O> };
  }

  return {
    step,
    profile,
    options,
    check(inputs, wanted = firstOutput, context = {}) {
      checked("run", inputs, wanted, context);
    },
    async fit(inputs, context = {}) {
      const { json } = await call("fit", inputs, [], context);
      return json.fitted as Fitted;
    },
    async apply(inputs, fitted, wanted = firstOutput, context = {}) {
      const known = step.fitted.safeParse(fitted);
      if (!known.success) {
        throw new VoxnormError("BadFitted", `${step.id}: ${z.prettifyError(known.error)}`, {}, known.error);
      }
      const { json, ...made } = await call("apply", inputs, wanted, context, known.data);
      return { ...made, measures: json.measures as Record<string, unknown> };
    },
    async run(inputs, wanted = firstOutput, context = {}) {
      const { json, ...made } = await call("run", inputs, wanted, context);
      return { ...made, measures: json.measures as Record<string, unknown>, fitted: json.fitted as Fitted };
    },
  };
}

/** What the call and the reply's values, be they new, give cause to warn of. */
function found(
  { id, warnings }: StepDeclaration,
  options: Record<string, unknown>,
  inputs: Record<string, unknown>,
  { fitted, measures }: Record<string, unknown>,
): Warning[] {
  return Object.entries(warnings).flatMap(([code, { ofCall, ofFitted, ofMeasures }]) => {
    const told = [
      ofCall?.(options, inputs),
      fitted === undefined ? undefined : ofFitted?.(fitted as Record<string, unknown>),
      measures === undefined ? undefined : ofMeasures?.(measures as Record<string, unknown>),
    ];
    return told.flatMap((sentence) => (sentence === undefined ? [] : [{ code, message: `${id}: ${sentence}` }]));
  });
}

/** `into`, whose arrays have room for the wanted outputs of their names and share no memory with what is read or written. */
function expectRoom(
  id: string,
  into: RunContext["into"],
  wanted: readonly string[],
  buffers: Buffers,
): RunContext["into"] {
  if (into === undefined) return undefined;
  expectObject(id, "into", into);
  const taken = Object.values(buffers);
  for (const [name, array] of Object.entries(into)) {
    const fail = (code: "BadOption" | "BadVolume", expected: string, got: string): never => {
      throw new VoxnormError(code, `${id}: into: ${name}: expected ${expected}, got ${got}`, { output: name });
    };
    if (!wanted.includes(name)) fail("BadOption", `outputs asked for (${wanted.join(", ") || "none"})`, show(name));
    if (Object.prototype.toString.call(array) !== "[object Float32Array]")
      fail("BadVolume", "a Float32Array", show(array));
    const { length } = buffers.image!;
    if (array.length !== length) fail("BadVolume", `room for ${length} voxels`, String(array.length));
    if (taken.some((other) => overlap(array, other))) fail("BadVolume", "memory of its own", "that of another array");
    taken.push(array);
  }
  return into;
}

/** Whether no other input lies in the image's memory. */
function ownsImage({ image, ...others }: Buffers): boolean {
  return !Object.values(others).some((other) => overlap(image!, other));
}

function overlap(a: Buffers[string], b: Buffers[string]): boolean {
  if (a.buffer !== b.buffer) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

function expectOutputs(step: StepDeclaration, wanted: readonly string[]): void {
  if (!Array.isArray(wanted)) {
    const message = `${step.id}: outputs: expected a list of names, got ${show(wanted)}`;
    throw new VoxnormError("BadOption", message, { outputs: plain(wanted) });
  }
  for (const name of wanted) {
    if (Object.hasOwn(step.outputs, name)) continue;
    const known = Object.keys(step.outputs).join(", ");
    throw new VoxnormError("BadOption", `${step.id}: expected outputs ${known}, got ${show(name)}`, { output: name });
  }
}

/** The inputs as Rust takes them, after everything that can be said of them without reading a voxel. */
function describe(step: StepDeclaration, phase: Phase, given: Record<string, unknown>, tolerance: number) {
  const inputs: Record<string, unknown> = {};
  const buffers: Buffers = {};
  expectObject(step.id, "inputs", given);
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(step.inputs, name));
  if (unknown !== undefined) {
    const known = Object.keys(step.inputs).join(", ");
    throw new VoxnormError("BadOption", `${step.id}: expected inputs ${known}, got ${show(unknown)}`, {
      input: unknown,
    });
  }
  expectGridTolerance(step.id, tolerance);
  for (const [name, slot] of Object.entries(step.inputs)) {
    const value = given[name];
    const what = `${step.id}: ${name}`;
    if (value === undefined) {
      if (slot.isOptional && !(slot.isForFitting && phase !== "apply")) continue;
      throw new VoxnormError("MissingInput", `${what}: expected a volume, got none`, { input: name });
    }
    if (typeof value === "string") {
      if (!slot.rules.includes(value)) {
        const known = ["a volume", ...slot.rules].join(" or ");
        throw new VoxnormError("BadOption", `${what}: expected ${known}, got ${JSON.stringify(value)}`, {
          input: name,
        });
      }
      inputs[name] = { rule: value };
      continue;
    }
    const { data, grid } = slot.kind === "mask" ? expectMask(what, value) : expectVolume(what, value);
    // Declared before those that share its grid, and so known good once they are compared with it.
    const base = slot.grid === null ? undefined : (given[slot.grid] as Volume | undefined);
    if (base !== undefined && value !== base) expectSameGrid(what, base.grid, grid, tolerance, slot.grid ?? undefined);
    inputs[name] = { shape: grid.shape, affine: grid.affine, channels: grid.channels, itk: grid.itk };
    buffers[name] = data;
  }
  return { inputs, buffers };
}

function volumes(buffers: Buffers, grid: Grid): Record<string, Volume> {
  const meta = { decisions: [], warnings: [] };
  return Object.fromEntries(
    Object.entries(buffers).map(([name, data]) => [name, { data: data as Float32Array, grid, meta }]),
  );
}

/** All options from a profile's and a caller's. What replaces another one stands alone, whoever gave the other. */
function complete(step: StepDeclaration, profile: object, own: Record<string, unknown>): Record<string, unknown> {
  const pairs = replacements(step.options);
  const preset: Record<string, unknown> = { ...profile };
  for (const [option, replaced] of pairs) {
    if (own[replaced] === undefined) continue;
    delete preset[option];
    if ((own[option] ?? null) === null) continue;
    const message = `${step.id}: ${option}: expected it or ${replaced}, in whose place it stands, got both; leave one out`;
    throw new VoxnormError("BadOption", message, { option, replaced });
  }
  const options: Record<string, unknown> = parsed(step.id, step.options, { ...preset, ...own });
  for (const [option, replaced] of pairs) if (options[option] !== null) delete options[replaced];
  return options;
}

function withoutUndefined(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
