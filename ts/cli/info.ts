/** `voxnorm info`: what a file holds and what the reader decided, and why. */
import { Command } from "commander";
import type { Backend, BackendOptions } from "../backend/backend.ts";
import { createBackend } from "../backend/load-node.ts";
import { VoxnormError } from "../errors.ts";
import { axisCodes } from "../grid.ts";
import { readVolume } from "../io/index-node.ts";
import type { Volume } from "../volume.ts";
import { finish } from "./outcome.ts";
import { addCommonFlags } from "./step-command.ts";

export function infoCommand(): Command {
  const command = new Command("info").description("Show a file's header, orientation, spacing and range");
  command.argument("<file>", "The file to look at");
  command.option("--json", "print one JSON object");
  addCommonFlags(command);
  return command.action(info);
}

async function info(path: string, given: BackendOptions & { json?: boolean }): Promise<void> {
  let backend: Backend | undefined;
  try {
    backend = await createBackend(given);
    const facts = await look(await readVolume(path, { backend }), backend);
    process.stdout.write(given.json ? `${JSON.stringify(facts)}\n` : `${text(path, facts)}\n`);
    finish([], 1);
  } catch (error) {
    const failure = VoxnormError.from(error);
    if (given.json) process.stdout.write(`${JSON.stringify({ error: failure })}\n`);
    finish([failure], 0);
  } finally {
    await backend?.close();
  }
}

async function look(volume: Volume, backend: Backend) {
  const { grid, meta, data } = volume;
  const { json: range } = await backend.run({
    step: "voxels.range",
    phase: "run",
    request: {},
    buffers: { voxels: data },
  });
  return {
    shape: grid.shape,
    spacing: grid.spacing,
    orientation: axisCodes(grid),
    origin: grid.origin,
    affine: grid.affine,
    range,
    header: listed(meta.header) ?? null,
    decisions: meta.decisions,
    warnings: meta.warnings,
  };
}

/** A header to print: extensions are listed without their bytes, which no terminal is for. */
function listed(header: unknown): unknown {
  return header === undefined ? undefined : JSON.parse(JSON.stringify(header, (_, v) => (isBytes(v) ? undefined : v)));
}

const isBytes = (value: unknown) => value instanceof Uint8Array;

function text(path: string, facts: Awaited<ReturnType<typeof look>>): string {
  const round = (values: readonly number[]) => values.map((value) => Number(value.toPrecision(6))).join(" × ");
  const { low, high, notFinite } = facts.range as { low: number | null; high: number | null; notFinite: number };
  const finite = low === null ? "no finite voxel" : `${low} to ${high}`;
  const rows: [string, string][] = [
    ["shape", round(facts.shape)],
    ["spacing", `${round(facts.spacing)} mm`],
    ["orientation", `${facts.orientation} (the way each axis grows)`],
    ["origin", `${facts.origin.map((mm) => Number(mm.toPrecision(6))).join(", ")} mm (RAS+)`],
    ["range", notFinite === 0 ? finite : `${finite}; ${notFinite} voxels NaN or infinite`],
    ...Object.entries(facts.header ?? {}).map(([name, value]): [string, string] => [
      `  ${name}`,
      JSON.stringify(value),
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
