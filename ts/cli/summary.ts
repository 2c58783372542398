/** What a person reads when an input is done. */
import { axisCodes } from "../grid.ts";
import type { EncodeReport } from "../io/nifti-stored.ts";
import type { Volume } from "../volume.ts";
import type { Job } from "./names.ts";
import { dash } from "./streams.ts";
import type { Done } from "./work.ts";

/** A line for one of several inputs; for a single one its measures and how it ran, too. */
export function summary({ report, volumes, stored, timings }: Done, output: string, isBrief: boolean): string[] {
  const wrote = `wrote ${output === dash ? "stdout" : output}`;
  const { name, simd, threads } = report.backend;
  const digests = volumes.map(({ output }) => output.digest);
  const isSeries = volumes.length > 1;
  if (isBrief) return [`${wrote}, ${isSeries ? `${volumes.length} volumes` : `digest ${digests[0]}`}`];
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  const { decodeMs, computeMs, encodeMs } = timings;
  const thread = threads === 1 ? "thread" : "threads";
  return [
    ...volumes.flatMap(({ steps }, index) => [
      ...(isSeries ? [`  volume ${index + 1} of ${volumes.length}`] : []),
      ...Object.entries(steps[0]?.measures ?? {}).map(([fact, value]) => `  ${fact}: ${facts(value)}`),
      ...(isSeries ? [`  digest: ${digests[index]}`] : []),
    ]),
    `  ${name} (${simd}, ${threads} ${thread}): decode ${ms(decodeMs)}, compute ${ms(computeMs)}, encode ${ms(encodeMs)}`,
    ...(stored === undefined || stored.datatype === "float32" ? [] : [storedAs(stored)]),
    ...(isSeries ? [] : [`  digest: ${digests[0]}`]),
    wrote,
  ];
}

/** How another type than that of the voxels holds them; it is never clipped, but scaled to their range. */
function storedAs({ datatype, slope, intercept, changed, voxels, largestError }: EncodeReport): string {
  const scale = slope === 1 && intercept === 0 ? "as they are" : `scaled by ${facts(slope)} from ${facts(intercept)}`;
  const lost = changed === 0 ? "" : ` by at most ${facts(largestError)}`;
  return `  stored: ${datatype}, ${scale}; ${changed} of ${voxels} voxels rounded${lost}, none clipped`;
}

/** What would be done with an input, on a line. */
export function intention(volumes: readonly Volume[], { input, inputs, output, outputs, report }: Job): string {
  const by = ([name, path]: [string, string]) =>
    `, ${name} ${path === dash ? `std${name in inputs ? "in" : "out"}` : path}`;
  const row = (values: readonly number[]) => values.map((value) => Number(value.toPrecision(4))).join(" × ");
  const { grid } = volumes[0]!;
  const sizes = volumes.length > 1 ? [...grid.shape, volumes.length] : grid.shape;
  const image = `${input === dash ? "stdin" : input} (${row(sizes)}, ${row(grid.spacing)} mm, ${axisCodes(grid)})`;
  const others = [
    ...Object.entries(outputs),
    ...(report === undefined ? [] : [["report", report] as [string, string]]),
  ];
  const made = `${output === dash ? "stdout" : output}${others.map(by).join("")}`;
  return `${image}${Object.entries(inputs).map(by).join("")} → ${made}`;
}

/** A measure as a line: numbers to five digits, ranges, lists and objects in one row. */
function facts(value: unknown): string {
  if (value === null) return "undefined";
  if (typeof value === "number") return String(Number.isInteger(value) ? value : Number(value.toPrecision(5)));
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    if (!value.every((each) => typeof each === "number")) return value.map(facts).join(", ");
    // A range, or a size.
    return value.map(facts).join(value.length === 3 ? " × " : " to ");
  }
  return Object.entries(value as object)
    .map(([name, each]) => `${name} ${facts(each)}`)
    .join(", ");
}
