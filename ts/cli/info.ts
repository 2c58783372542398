/** `voxnorm info`: what files hold and what the reader decided, and why. */
import { Command } from "commander";
import type { Backend, BackendOptions } from "../backend/backend.ts";
import { createBackend } from "../backend/load-node.ts";
import { VoxnormError } from "../errors.ts";
import { axisCodes, obliquity } from "../grid.ts";
import type { Volume } from "../volume.ts";
import { addCommonFlags, givenLimits } from "./common-flags.ts";
import { finish } from "./outcome.ts";
import { expectOneStream, readFrom } from "./streams.ts";

export function infoCommand(): Command {
  const command = new Command("info").description("Show files' headers, orientation, spacing and range");
  command.argument("<files...>", "The files to look at; - is stdin");
  command.option("--json", "print one JSON object, with an entry for each file");
  addCommonFlags(command);
  return command.action(info);
}

/** One file's entry in what `--json` prints. */
type Entry = { readonly input: string } & (Facts | { readonly error: VoxnormError });

async function info(paths: readonly string[], given: BackendOptions & { json?: boolean }): Promise<void> {
  const entries: Entry[] = [];
  let backend: Backend | undefined;
  try {
    expectOneStream(paths);
    backend = await createBackend(given);
    // One after the other: text comes as it is found, and one volume at a time is held.
    for (const input of paths) {
      try {
        const facts = await look(await readFrom(input, { backend, limits: givenLimits(given) }), backend);
        if (!given.json) process.stdout.write(`${text(input, facts)}\n`);
        entries.push({ input, ...facts });
      } catch (error) {
        entries.push({ input, error: VoxnormError.from(error) });
      }
    }
  } catch (error) {
    const failure = VoxnormError.from(error);
    entries.push(...paths.map((input) => ({ input, error: failure })));
  } finally {
    await backend?.close();
  }
  if (given.json) process.stdout.write(`${JSON.stringify({ inputs: entries }, finiteOrNamed)}\n`);
  const failures = entries.flatMap((entry) => ("error" in entry ? [entry.error] : []));
  finish(failures, entries.length - failures.length);
}

type Facts = Awaited<ReturnType<typeof look>>;

/** What all volumes of a file have in common, and the range of their voxels together. */
async function look(volumes: readonly Volume[], backend: Backend) {
  const { grid, meta } = volumes[0]!;
  return {
    shape: grid.shape,
    channels: grid.channels,
    volumes: volumes.length,
    spacing: grid.spacing,
    orientation: axisCodes(grid),
    /** Degrees between the axes and the world's, at most. */
    obliquity: obliquity(grid),
    origin: grid.origin,
    affine: grid.affine,
    range: await rangeOf(volumes, backend),
    header: listed(meta.header) ?? null,
    decisions: meta.decisions.filter((each) => volumes.every((volume) => volume.meta.decisions.includes(each))),
    warnings: meta.warnings,
  };
}

/** Low and high are null where no voxel is finite. */
interface Range {
  low: number | null;
  high: number | null;
  notFinite: number;
}

async function rangeOf(volumes: readonly Volume[], backend: Backend): Promise<Range> {
  const all: Range = { low: null, high: null, notFinite: 0 };
  for (const { data } of volumes) {
    const call = { step: "voxels.range", phase: "run", request: {}, buffers: { voxels: data } } as const;
    const { low, high, notFinite } = (await backend.run(call)).json as unknown as Range;
    if (low !== null) all.low = Math.min(low, all.low ?? low);
    if (high !== null) all.high = Math.max(high, all.high ?? high);
    all.notFinite += notFinite;
  }
  return all;
}

/** A header to print: extensions are listed without their bytes, which no terminal is for. */
function listed(header: unknown): unknown {
  if (Array.isArray(header)) return header.map(listed);
  if (typeof header !== "object" || header === null) return header;
  const shown = Object.entries(header).filter(([, value]) => !(value instanceof Uint8Array));
  return Object.fromEntries(shown.map(([name, value]) => [name, listed(value)]));
}

function text(path: string, facts: Facts): string {
  const { low, high, notFinite } = facts.range;
  const finite = low === null || high === null ? "no finite voxel" : `${single(low)} to ${single(high)}`;
  const extent = facts.shape.map((size, axis) => size * facts.spacing[axis]!);
  const oblique = facts.obliquity < 0.01 ? "" : `, oblique by ${facts.obliquity.toFixed(2)}°`;
  const rows: [string, string][] = [
    ["shape", row(facts.shape, " × ")],
    ...(facts.channels > 1 ? [["channels", String(facts.channels)] as [string, string]] : []),
    ...(facts.volumes > 1 ? [["volumes", String(facts.volumes)] as [string, string]] : []),
    ["spacing", `${row(facts.spacing, " × ")} mm`],
    ["extent", `${row(extent, " × ")} mm`],
    ["orientation", `${facts.orientation} (the way each axis grows)${oblique}`],
    ["origin", `${row(facts.origin)} mm (RAS+)`],
    ...facts.affine.map((each, index): [string, string] => [index === 0 ? "affine" : "", row(each)]),
    ["range", notFinite === 0 ? finite : `${finite}; ${notFinite} voxels NaN or infinite`],
    ...Object.entries(facts.header ?? {}).map(([name, value]): [string, string] => [
      `  ${name}`,
      JSON.stringify(value, finiteOrNamed),
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    path,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...facts.decisions.map((decision) => `  · ${decision}`),
    ...facts.warnings.map(({ code, message }) => `  ! ${code}: ${message}`),
  ].join("\n");
}

/** A whole number as it is; of another, as few digits as tell it from its neighbours in single precision. */
function single(value: number): number {
  if (Number.isInteger(value)) return value;
  const texts = [6, 7, 8, 9].map((digits) => Number(value.toPrecision(digits)));
  return texts.find((each) => Math.fround(each) === value) ?? value;
}

/** To six digits: what single precision holds. */
function row(values: readonly number[], between = ", "): string {
  return values.map((value) => Number(value.toPrecision(6))).join(between);
}

/** A header may hold numbers that JSON cannot, which it would turn into null. */
function finiteOrNamed(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
