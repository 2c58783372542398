/** What may be written where: checked for all jobs before the first one runs. */
import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { VoxnormError } from "../errors.ts";
import { expectWritable, filesOf } from "../io/index-node.ts";
import type { StepDeclaration } from "../step.ts";
import type { Job, Plan } from "./names.ts";
import { dash, expectPipe } from "./streams.ts";

/** Throws `UnsafeOutput` where an output would overwrite an input or another output, `WriteFailed` without a folder. */
export async function expectSafeOutputs(step: StepDeclaration, { jobs, newFolder }: Plan): Promise<void> {
  /** What is known at a place, by every mark that tells the place. */
  const taken = new Map<string, string>();
  for (const path of new Set(jobs.flatMap((job) => inputFiles(step, job)))) {
    for (const mark of await marks(path)) taken.set(mark, `the input ${path}`);
  }
  if (newFolder !== undefined) await expectWritable(newFolder);
  for (const job of jobs) {
    for (const output of outputFiles(job)) {
      const own = await marks(output);
      const other = own.map((mark) => taken.get(mark)).find((each) => each !== undefined);
      if (other !== undefined) {
        throw new VoxnormError("UnsafeOutput", `${output}: expected an output of its own, got ${other}`, {
          output,
          other,
        });
      }
      if (newFolder === undefined || (await place(dirname(output))) !== (await place(newFolder))) {
        await expectWritable(output);
      }
      for (const mark of own) taken.set(mark, `an output of ${job.input}`);
    }
  }
  if (jobs.some((job) => [job.output, ...Object.values(job.outputs)].includes(dash))) expectPipe();
}

/** Makes the folder that is yet to be made: once there is something to write. */
export async function makeFolder({ newFolder }: Plan): Promise<void> {
  if (newFolder === undefined) return;
  await mkdir(newFolder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "EEXIST") return;
    throw new VoxnormError("WriteFailed", `${newFolder}: could not be made: ${cause.message}`, {}, cause);
  });
}

/** Paths of the inputs besides the image that several jobs share. */
export function sharedInputs(step: StepDeclaration, jobs: readonly Job[]): Set<string> {
  const paths = jobs.flatMap((job) => otherFiles(step, job));
  return new Set(paths.filter((path, index) => paths.indexOf(path) < index));
}

function inputFiles(step: StepDeclaration, job: Job): string[] {
  return [job.input, ...otherFiles(step, job)].filter((path) => path !== dash).flatMap(filesOf);
}

function otherFiles(step: StepDeclaration, { inputs }: Job): string[] {
  return Object.entries(inputs).flatMap(([name, value]) => (step.inputs[name]?.rules.includes(value) ? [] : [value]));
}

function outputFiles({ output, outputs, report }: Job): string[] {
  const volumes = [output, ...Object.values(outputs)].filter((path) => path !== dash).flatMap(filesOf);
  return [...volumes, ...(report === undefined ? [] : [report])];
}

/** What tells that two paths lead to one file: its place, and its identity where it exists. */
async function marks(path: string): Promise<string[]> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  const identity = found === undefined ? [] : [`${found.dev}:${found.ino}`];
  return [await place(path), ...identity];
}

/** Where a path leads, whether there is a file or not: its folder may be reached by several names. */
async function place(path: string): Promise<string> {
  const folder = resolve(dirname(path));
  return join(await realpath(folder).catch(() => folder), basename(path));
}
