/** The command of a step, made from its declaration: its options, its inputs and outputs as flags. */
import { realpath } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Backend, BackendOptions } from "../backend/backend.ts";
import { createBackend } from "../backend/load-node.ts";
import { VoxnormError } from "../errors.ts";
import { expectWritable, readVolume, sameFile, writeFileAtomic, writeVolume } from "../io/index-node.ts";
import { pipeline } from "../pipeline.ts";
import { backendReport, type Report } from "../report.ts";
import type { BoundStep, Step, StepDeclaration } from "../step.ts";
import type { Volume, Warning } from "../volume.ts";
import { givenOptions, kebab, oneOf, optionFlags } from "./options.ts";
import { finish, warn } from "./outcome.ts";
import { type Teller, teller } from "./progress.ts";

/** What every step's command takes besides the step's own. */
interface Common extends BackendOptions {
  output: string;
  report?: string;
  json?: boolean;
  quiet?: boolean;
}

type Given = Common & Record<string, unknown>;

// biome-ignore lint/suspicious/noExplicitAny: the list holds steps of all types
type AnyStep = Step<any, any, any, any, any>;

export function stepCommand(step: AnyStep): Command {
  const command = new Command(step.id).description(`${step.title}: ${step.summary}`);
  command.argument("<input>", step.inputs.image.description);
  command.requiredOption("-o, --output <file>", `${step.outputs.image.description} (.nii or .nii.gz)`, volumePath);
  for (const [name, slot] of otherSlots(step.inputs)) {
    const value = [...slot.rules, "file"].join("|");
    const flag = new Option(`--${kebab(name)} <${value}>`, slot.description);
    command.addOption(slot.isOptional ? flag : flag.makeOptionMandatory());
  }
  for (const [name, slot] of otherSlots(step.outputs)) {
    command.addOption(new Option(`--${kebab(name)} <file>`, `write: ${slot.description}`).argParser(volumePath));
  }
  for (const flag of optionFlags(step)) command.addOption(flag);
  addCommonFlags(command);
  command.option("--report <file>", "write what ran, the fitted values and digests, as JSON");
  command.option("--json", "print one JSON object on stdout");
  command.action((input: string, given: Given) => run(step, input, given));
  return command;
}

/** How it runs, for steps and verbs alike. */
export function addCommonFlags(command: Command): void {
  command.addOption(
    new Option("--backend <name>", "native, wasm, or auto for the first that loads").argParser(
      oneOf(["auto", "native", "wasm"]),
    ),
  );
  command.addOption(
    new Option("--threads <n>", "threads of the native backend (default: all cores)").argParser((text) => {
      if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
      throw new InvalidArgumentError("Expected a whole number of at least 1.");
    }),
  );
  command.option("--simd <level>", "force an instruction set, such as avx2");
  command.option("-q, --quiet", "no progress");
}

interface Timings {
  decodeMs: number;
  computeMs: number;
  encodeMs: number;
}

/** One input's entry in what `--json` prints. */
interface Entry {
  input: string;
  output: string;
  digest?: string;
  timings?: Timings;
  warnings: readonly Warning[];
  error?: VoxnormError;
}

async function run(step: AnyStep, input: string, given: Given): Promise<void> {
  const interruption = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const interrupt = (caught: NodeJS.Signals) => {
    signal = caught;
    interruption.abort();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const tell = teller(given.quiet === true);
  const entry: Entry = { input, output: given.output, warnings: [] };
  let backend: Backend | undefined;
  try {
    const bound = step(givenOptions(step, given)) as BoundStep;
    await expectSafeOutputs(step, input, given);
    backend = await createBackend(given);
    await correct(bound, backend, given, entry, tell, interruption.signal);
  } catch (error) {
    entry.error = VoxnormError.from(error);
  } finally {
    tell.end();
    await backend?.close();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
  if (given.json) {
    const ran = backend ? backendReport(backend) : null;
    process.stdout.write(`${JSON.stringify({ backend: ran, inputs: [entry] })}\n`);
  }
  finish(entry.error ? [entry.error] : [], entry.error ? 0 : 1, signal);
}

async function correct(
  bound: BoundStep,
  backend: Backend,
  given: Given,
  entry: Entry,
  tell: Teller,
  signal: AbortSignal,
): Promise<void> {
  const { step } = bound;
  const warnings: Warning[] = [];
  entry.warnings = warnings;
  // Told at once, so that the last line stays how the command ended.
  const read = async (path: string) => {
    const volume = await readVolume(path, { backend, signal });
    warnings.push(...volume.meta.warnings);
    for (const { message } of volume.meta.warnings) warn(`${path}: ${message}`);
    return volume;
  };
  const [image, decodeMs] = await timed(() => read(entry.input));
  const inputs: Record<string, Volume | string> = {};
  const [, decodeOthersMs] = await timed(async () => {
    for (const [name, slot] of otherSlots(step.inputs)) {
      const value = given[name] as string | undefined;
      if (value === undefined) continue;
      if (slot.rules.includes(value)) {
        inputs[name] = value;
      } else {
        inputs[name] = await read(value);
      }
    }
  });

  const outputs = otherSlots(step.outputs).flatMap(([name]) => (given[name] === undefined ? [] : [name]));
  const onProgress = (progress: { fraction: number }) => tell.progress(step.id, progress);
  const made = await pipeline([bound]).run(image, { backend, signal, inputs, outputs, digests: true, onProgress });
  tell.end();
  if (signal.aborted) throw new VoxnormError("Cancelled", "interrupted; nothing was written");

  const [, encodeMs] = await timed(async () => {
    const others = outputs.map((name) => [given[name] as string, made.outputs[name]] as const);
    const written = [[given.output, made.image] as const, ...others];
    // What the file said of the image beyond its voxels holds for the other outputs, too.
    const { meta } = made.image;
    await Promise.all(written.map(([path, volume]) => volume && writeVolume(path, { ...volume, meta })));
  });
  const computeMs = made.report.steps.reduce((sum, { computeMs }) => sum + computeMs, 0);
  entry.timings = { decodeMs: decodeMs + decodeOthersMs, computeMs, encodeMs };
  if (made.report.output.digest) entry.digest = made.report.output.digest;
  if (given.report) {
    const report = { ...made.report, timings: entry.timings };
    await writeFileAtomic(given.report, new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  }
  summarise(made.report, entry, tell);
}

function summarise(report: Report, entry: Entry, tell: Teller): void {
  const { name, simd, threads } = report.backend;
  const [step] = report.steps;
  for (const [fact, value] of Object.entries(step?.measures ?? {})) tell.say(`  ${fact}: ${facts(value)}`);
  const { decodeMs, computeMs, encodeMs } = entry.timings as Timings;
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  const thread = threads === 1 ? "thread" : "threads";
  tell.say(
    `  ${name} (${simd}, ${threads} ${thread}): decode ${ms(decodeMs)}, compute ${ms(computeMs)}, encode ${ms(encodeMs)}`,
  );
  tell.say(`  digest: ${entry.digest}`);
  tell.say(`wrote ${entry.output}`);
}

/** A measure as a line: numbers to five digits, ranges, lists and objects in one row. */
function facts(value: unknown): string {
  if (value === null) return "undefined";
  if (typeof value === "number") return String(Number.isInteger(value) ? value : Number(value.toPrecision(5)));
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    return value.map(facts).join(value.every((each) => typeof each === "number") ? " to " : ", ");
  }
  return Object.entries(value as object)
    .map(([name, each]) => `${name} ${facts(each)}`)
    .join(", ");
}

/** Inputs or outputs besides the image. */
function otherSlots(slots: StepDeclaration["inputs"]) {
  return Object.entries(slots).filter(([name]) => name !== "image");
}

/** Throws `UnsafeOutput` where an output would overwrite an input or another output, `WriteFailed` without a folder. */
async function expectSafeOutputs(step: AnyStep, input: string, given: Given): Promise<void> {
  const path = (name: string) => given[name] as string | undefined;
  const slots = otherSlots(step.inputs).filter(([name, slot]) => !slot.rules.includes(path(name) ?? ""));
  const inputs = [input, ...slots.map(([name]) => path(name))];
  const outputs = [given.output, given.report, ...otherSlots(step.outputs).map(([name]) => path(name))];
  const taken = inputs.filter((each) => each !== undefined);
  for (const output of outputs) {
    if (output === undefined) continue;
    for (const other of taken) {
      if ((await place(output)) === (await place(other)) || (await sameFile(output, other))) {
        throw new VoxnormError(
          "UnsafeOutput",
          `${output}: expected an output of its own, got a file also named as ${other}`,
        );
      }
    }
    await expectWritable(output);
    taken.push(output);
  }
}

/** Where a path leads, whether there is a file or not: its folder may be reached by several names. */
async function place(path: string): Promise<string> {
  const folder = resolve(dirname(path));
  return join(await realpath(folder).catch(() => folder), basename(path));
}

function volumePath(path: string): string {
  if (extname(path) === ".nii" || path.endsWith(".nii.gz")) return path;
  throw new InvalidArgumentError("Expected a name that ends in .nii or .nii.gz.");
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}
