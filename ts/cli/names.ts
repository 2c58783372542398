/**
 * Which files a call reads and writes: a job for each input, whose names are made from the input's.
 *
 * `{name}` in a flag is the input's name without folder and ending. A folder as the output stands for
 * `folder/{name}` with the input's own ending.
 */
import { lstat, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { VoxnormError } from "../errors.ts";
import type { StepDeclaration } from "../step.ts";
import { kebab } from "./options.ts";
import { dash, expectOneStream } from "./streams.ts";

/** One input and what belongs to it. Paths may be `-`. */
export interface Job {
  readonly input: string;
  readonly output: string;
  /** The other inputs by slot: paths, or rules in their place. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The other outputs by slot. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly report?: string;
}

export interface Plan {
  readonly jobs: readonly Job[];
  /** The output folder, where it is yet to be made. */
  readonly newFolder?: string;
}

/** Flags that hold names. */
export interface Names {
  readonly output: string;
  readonly report?: string;
  readonly json?: boolean;
  readonly gzip?: boolean;
  readonly [slot: string]: unknown;
}

/** Throws `MissingInput` where the step needs another one, `BadOption` where names do not say what goes where. */
export async function planOf(step: StepDeclaration, inputs: readonly string[], given: Names): Promise<Plan> {
  expectInputs(step, given);
  const several = inputs.length > 1;
  const named = (slots: StepDeclaration["inputs"]) =>
    otherSlots(slots).flatMap(([name]) => (given[name] === undefined ? [] : [[name, given[name] as string] as const]));
  const [others, made] = [named(step.inputs), named(step.outputs)];
  const isFolder = given.output !== dash && (await leadsToFolder(given.output));
  if (several) {
    if (!isFolder) expectPattern("output", given.output, "a folder (existing, or with a trailing /) or ");
    for (const [name, path] of made) expectPattern(name, path);
    if (given.report !== undefined) expectPattern("report", given.report);
  }
  if (!isFolder) expectVolumeName("output", given.output);
  for (const [name, path] of made) expectVolumeName(name, path);
  const images = [given.output, ...made.map(([, path]) => path)];
  expectOneStream([...inputs, ...others.map(([, path]) => path)], [...images, given.report ?? ""]);
  expectStdout(given, images.includes(dash));

  const jobs = inputs.map((input): Job => {
    const fill = (path: string) => path.replaceAll("{name}", () => nameOf(input));
    const filled = (pairs: typeof made) => Object.fromEntries(pairs.map(([name, path]) => [name, fill(path)]));
    return {
      input,
      output: isFolder ? join(given.output, nameOf(input) + endingOf(input)) : fill(given.output),
      inputs: filled(others),
      outputs: filled(made),
      ...(given.report === undefined ? {} : { report: fill(given.report) }),
    };
  });
  const isNew = isFolder && (await lstat(withoutSlash(given.output)).catch(() => undefined)) === undefined;
  return { jobs, ...(isNew ? { newFolder: withoutSlash(given.output) } : {}) };
}

/** Inputs or outputs besides the image. */
export function otherSlots(slots: StepDeclaration["inputs"]) {
  return Object.entries(slots).filter(([name]) => name !== "image");
}

const ending = /\.((nii|hdr|img)(\.gz)?|png)$/;

function nameOf(input: string): string {
  return input === dash ? "stdin" : basename(input).replace(ending, "");
}

/** What is read goes by its content, and so an input may be called anything. */
function endingOf(input: string): string {
  return ending.exec(input)?.[0] ?? ".nii.gz";
}

async function leadsToFolder(path: string): Promise<boolean> {
  if (withoutSlash(path) !== path) return true;
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

function withoutSlash(path: string): string {
  return path.length > 1 && (path.endsWith("/") || path.endsWith(sep)) ? path.slice(0, -1) : path;
}

function expectInputs({ id, inputs }: StepDeclaration, given: Names): void {
  for (const [name, slot] of otherSlots(inputs)) {
    if (given[name] !== undefined || (slot.isOptional && !slot.isForFitting)) continue;
    const message = `${id}: ${name}: expected a volume, got none; name its file with --${kebab(name)}`;
    throw new VoxnormError("MissingInput", message, { input: name });
  }
}

function expectVolumeName(name: string, path: string): void {
  if (path === dash || ending.test(path)) return;
  throw badName(name, "a name that ends in .nii or .nii.gz, in .hdr or .img for a pair, or in .png", path);
}

function expectPattern(name: string, path: string, or = ""): void {
  if (path.includes("{name}")) return;
  throw badName(name, `${or}a name with {name} in it, as there are several inputs`, path);
}

function expectStdout({ json, gzip, report }: Names, forImage: boolean): void {
  if (json && (forImage || report === dash)) {
    const other = forImage ? "an image" : "the report";
    throw new VoxnormError("BadOption", `--json: expected stdout for itself, got it for ${other}, too`);
  }
  if (!forImage && gzip) {
    throw new VoxnormError("BadOption", `--gzip: expected ${dash} as an output; the names of files decide for them`);
  }
}

function badName(name: string, what: string, got: string): VoxnormError {
  return new VoxnormError("BadOption", `--${kebab(name)}: expected ${what}, got ${got}`, { option: name, got });
}
