/** The command of a step, made from its declaration: its options, its inputs and outputs as flags. */
import { Command, Option } from "commander";
import type { Backend, BackendOptions } from "../backend/backend.ts";
import { createBackend } from "../backend/load-node.ts";
import { VoxnormError } from "../errors.ts";
import { readFileChecked } from "../io/index-node.ts";
import { backendReport } from "../report.ts";
import { expectObject } from "../schema.ts";
import type { BoundStep, Step } from "../step.ts";
import type { Grid, Warning } from "../volume.ts";
import { addCommonFlags, addStorageFlags, givenLimits, givenStorage, wholeNumber } from "./common-flags.ts";
import { atMost, interruption } from "./jobs.ts";
import { room } from "./memory.ts";
import { type Job, type Names, otherSlots, planOf } from "./names.ts";
import { givenOptions, kebab, optionFlags } from "./options.ts";
import { finish } from "./outcome.ts";
import { expectSafeOutputs } from "./outputs.ts";
import { together } from "./progress.ts";
import { intention, summary } from "./summary.ts";
import { type Done, reader, rehearse, type Timings, work } from "./work.ts";

/** What every step's command takes besides the step's own. */
type Given = Names &
  BackendOptions & {
    readonly jobs?: number;
    readonly memory?: number;
    readonly dryRun?: boolean;
    readonly options?: string;
    readonly quiet?: boolean;
  };

// biome-ignore lint/suspicious/noExplicitAny: the list holds steps of all types
type AnyStep = Step<any, any, any, any, any>;

/**
 * While one computes on all cores, another is read or written: eight heads took 5.7 s two at a time, 7.3 s one by one
 * and 6.8 s three at a time on 2 cores. Each holds its volumes in memory.
 */
const usualJobs = 2;

export function stepCommand(step: AnyStep): Command {
  const command = new Command(step.id).description(`${step.title}: ${step.summary}`);
  command.argument("<inputs...>", `${step.inputs.image.description}; several are done one by one; - is stdin`);
  const output = `${step.outputs.image.description} (.nii, .nii.gz, .img for a pair, or .png), a folder for it, or - for stdout`;
  command.requiredOption("-o, --output <file>", output);
  for (const [name, slot] of otherSlots(step.inputs)) {
    const value = [...slot.rules, "file"].join("|");
    command.addOption(new Option(`--${kebab(name)} <${value}>`, slot.description));
  }
  for (const [name, slot] of otherSlots(step.outputs)) {
    command.addOption(new Option(`--${kebab(name)} <file>`, `write: ${slot.description}`));
  }
  for (const flag of optionFlags(step)) command.addOption(flag);
  command.option("--options <file>", "read options from a JSON object; flags go before them");
  addStorageFlags(command);
  addCommonFlags(command);
  const jobs = `inputs in work at once, while --memory lasts (default: ${usualJobs})`;
  command.addOption(new Option("--jobs <n>", jobs).argParser(wholeNumber()));
  const memory =
    "what inputs in work at once may take together, in MB; by their headers each takes 8 bytes a voxel for every file that " +
    "it reads or writes, and one is always in work (default: half of the memory that is free)";
  command.addOption(new Option("--memory <n>", memory).argParser(wholeNumber(7)));
  command.option("--report <file>", "write what ran, the fitted values and digests, as JSON; - is stdout");
  command.option("--dry-run", "read and check everything, say what would be done, and write nothing");
  command.option("--gzip", "compress what goes to stdout");
  command.option("--json", "print one JSON object on stdout");
  command.addHelpText(
    "after",
    "\n{name} in a file's name is the input's, without folder and ending: --report out/{name}.json",
  );
  command.action((inputs: string[], given: Given) => run(step, inputs, given));
  return command;
}

/** One input's entry in what `--json` prints. */
interface Entry {
  readonly input: string;
  output: string;
  readonly warnings: Warning[];
  digest?: string;
  /** In place of a digest, those of a series' volumes. */
  digests?: string[];
  stored?: Done["stored"];
  timings?: Timings;
  /** On a dry run: where the image lies, and the other names as they would be read and written. */
  grid?: Grid;
  volumes?: number;
  inputs?: Job["inputs"];
  outputs?: Job["outputs"];
  report?: string;
  error?: VoxnormError;
}

async function run(step: AnyStep, inputs: readonly string[], given: Given): Promise<void> {
  const stop = interruption();
  const tell = await together(given.quiet === true, step.id, inputs);
  const entries = inputs.map((input): Entry => ({ input, output: given.output, warnings: [] }));
  let backend: Backend | undefined;
  try {
    const bound = step({ ...(await optionsIn(given.options)), ...givenOptions(step, given) }) as BoundStep;
    const plan = await planOf(step, inputs, given);
    for (const [index, { output }] of plan.jobs.entries()) entries[index]!.output = output;
    await expectSafeOutputs(step, plan);
    backend = await createBackend(given);
    const { signal } = stop;
    const read = reader(bound, plan, { backend, signal, limits: givenLimits(given) });
    const storage = givenStorage(given);
    // Inputs' stand in the report alone; the output's is told, too.
    const isTold = given.json === true || given.quiet !== true;
    const digests = given.report === undefined ? isTold && ("output" as const) : true;
    const shop = { bound, plan, backend, signal, digests, gzip: given.gzip === true, storage, read };
    const each = async (job: Job, index: number) => {
      const entry = entries[index]!;
      try {
        if (signal.aborted) throw new VoxnormError("Cancelled", "interrupted");
        if (given.dryRun) {
          const volumes = await rehearse(job, shop, entry.warnings);
          const { grid } = volumes[0]!;
          const count = volumes.length > 1 ? { volumes: volumes.length } : {};
          Object.assign(entry, { grid, ...count, inputs: job.inputs, outputs: job.outputs, report: job.report });
          tell.done(index, [`dry run: ${intention(volumes, job)}`]);
          return;
        }
        const done = await work(job, shop, entry.warnings, (progress) => tell.progress(index, progress));
        for (const { message } of done.warnings) tell.warn(`${job.input}: ${message}`);
        const digests = done.volumes.map(({ output }) => output.digest);
        const { stored, timings } = done;
        Object.assign(entry, digests.length > 1 ? { digests } : { digest: digests[0] }, { stored, timings });
        tell.done(index, summary(done, job.output, inputs.length > 1));
      } catch (error) {
        entry.error = VoxnormError.from(error);
        if (!signal.aborted) tell.done(index, inputs.length > 1 ? [`${job.input} failed`] : []);
      }
    };
    // One has all the room there is, and its header need not be read ahead.
    const shared = plan.jobs.length > 1 ? room(given.memory) : undefined;
    await atMost(given.jobs ?? usualJobs, plan.jobs, each, shared);
  } catch (error) {
    const failure = VoxnormError.from(error);
    for (const entry of entries) entry.error = failure;
  } finally {
    tell.end();
    await backend?.close();
    stop.end();
  }
  nameFailures(entries);
  if (given.json) {
    const ran = backend ? backendReport(backend) : null;
    process.stdout.write(
      `${JSON.stringify({ ...(given.dryRun ? { dryRun: true } : {}), backend: ran, inputs: entries })}\n`,
    );
  }
  const failures = entries.flatMap(({ error }) => error ?? []);
  finish(failures, entries.length - failures.length, stop.caught);
}

/** The options in a file of JSON, as a report holds them, too. Throws `BadOption` where it holds no object. */
async function optionsIn(path: string | undefined): Promise<object> {
  if (path === undefined) return {};
  const text = new TextDecoder().decode(await readFileChecked(path));
  try {
    const options: unknown = JSON.parse(text);
    expectObject(path, "options", options);
    return options as object;
  } catch (cause) {
    if (cause instanceof VoxnormError) throw cause;
    throw new VoxnormError("BadOption", `${path}: expected JSON: ${(cause as Error).message}`, { path }, cause);
  }
}

/** Of several inputs, says which one an error is about; and of an interruption once how far it came. */
function nameFailures(entries: readonly Entry[]): void {
  if (entries.length === 1 || entries.every(({ error }) => error === undefined)) return;
  const times = new Map<VoxnormError | undefined, number>();
  for (const { error } of entries) times.set(error, (times.get(error) ?? 0) + 1);
  const count = times.get(undefined) ?? 0;
  const interrupted = new VoxnormError("Cancelled", `interrupted; ${count} of ${entries.length} inputs were done`);
  for (const entry of entries) {
    const { error, input } = entry;
    if (error?.code === "Cancelled") {
      entry.error = interrupted;
    } else if (error !== undefined && times.get(error) === 1 && !error.message.includes(input)) {
      entry.error = new VoxnormError(error.code, `${input}: ${error.message}`, error.detail, error.cause);
    }
  }
}
