/**
 * The golden cases, found by name: every file in `test/cases/<step>/` of every step in the list.
 *
 * A case names its inputs, its options, and what an independent program made of them. Files are named from the
 * project's folder, or `shared:` for the data folder beside it; a case whose file is absent is skipped by name.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Backend, type BoundStep, type Mask, readMask, readVolume, steps, type Volume } from "../../dist/index.js";

export interface Case {
  readonly title: string;
  /** The program and version that the expectations come from. */
  readonly source: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly outputs: readonly string[];
  readonly expect: readonly Expectation[];
  /** Numbers that the other program found, by their place among the fitted values, such as `parts.0.mode`. */
  readonly fitted?: Readonly<Record<string, number>>;
  /** Why it is only compared with the other program, on one backend: the bytes of others are shown by quicker cases. */
  readonly agreementOnly?: string;
}

export interface Expectation {
  readonly output: string;
  /** `log`: logarithms are compared, their mean difference removed, since the factor's scale is arbitrary. */
  readonly compare: "log" | "value";
  /** Root mean square difference that is allowed. */
  readonly rms?: number;
  /** Largest difference that is allowed. */
  readonly most?: number;
  /** What differences are measured in, such as the standard deviation of the other program's output; 1 where absent. */
  readonly unit?: number;
  /** Voxels where this input has this value count; all where it is absent. */
  readonly within?: { readonly input: string; readonly value: number };
  /** Every stride-th voxel along each axis from the first, as a file or as numbers with x fastest. */
  readonly stride: readonly [number, number, number];
  readonly file?: string;
  readonly values?: readonly number[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const pathOf = (name: string) => root + name.replace(/^shared:/, "../shared/data/");

export interface Found {
  readonly id: string;
  readonly name: string;
  readonly golden: Case;
  readonly bound: BoundStep;
  /** The files that this machine lacks. */
  readonly absent: readonly string[];
}

export function findCases(): Found[] {
  return Object.values(steps).flatMap((step) => {
    const folder = `${root}test/cases/${step.id}/`;
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
    if (names.length === 0) throw new Error(`expected golden cases in test/cases/${step.id}/`);
    return names.sort().map((name): Found => {
      const golden = JSON.parse(readFileSync(folder + name, "utf8")) as Case;
      const files = [...Object.values(golden.inputs), ...golden.expect.flatMap(({ file }) => file ?? [])];
      const absent = files.filter((file) => /[./]/.test(file) && !existsSync(pathOf(file)));
      const bound = step(golden.options as never) as unknown as BoundStep;
      return { id: step.id, name: name.replace(".json", ""), golden, bound, absent };
    });
  });
}

/** How far a fitted number may be from the other program's, as a part of that. */
export const fittedTolerance = 1e-5;

/** The number at a place such as `parts.0.mode`. */
export function numberAt(fitted: unknown, place: string): number {
  const found = place.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], fitted);
  if (typeof found !== "number") throw new Error(`expected a fitted number at ${place}, got ${JSON.stringify(found)}`);
  return found;
}

/** The inputs of a case: volumes, or rules (words without a dot) in their place. */
export async function load(golden: Case, backend: Backend): Promise<Record<string, Mask | string>> {
  const entries = Object.entries(golden.inputs).map(async ([name, file]) => {
    const read = name === "mask" ? readMask : readVolume;
    return [name, /[./]/.test(file) ? await read(pathOf(file), { backend }) : file] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

export interface Agreement {
  readonly rms: number;
  readonly most: number;
  readonly voxels: number;
}

/** The differences between an output and what is expected of it. */
export async function agreement(
  expectation: Expectation,
  output: Float32Array,
  inputs: Record<string, Mask | string>,
  backend: Backend,
): Promise<Agreement> {
  const { stride, within, compare, unit = 1 } = expectation;
  const expected = expectation.file
    ? (await readVolume(pathOf(expectation.file), { backend })).data
    : Float64Array.from(expectation.values ?? []);
  const { shape, channels } = (inputs.image as Volume).grid;
  const [nx, ny] = shape;
  // The channels' planes follow each other.
  const nz = shape[2] * channels;
  const chosen = within && (inputs[within.input] as Mask).data;
  const differences: number[] = [];
  let next = 0;
  for (let z = 0; z < nz; z += stride[2]) {
    for (let y = 0; y < ny; y += stride[1]) {
      for (let x = 0; x < nx; x += stride[0]) {
        const at = (z * ny + y) * nx + x;
        const reference = expected[next++]!;
        if (chosen && chosen[at] !== within.value) continue;
        differences.push((compare === "log" ? Math.log(output[at]!) : output[at]!) - reference);
      }
    }
  }
  if (next !== expected.length) throw new Error(`expected ${next} reference values, got ${expected.length}`);
  const mean = compare === "log" ? differences.reduce((sum, d) => sum + d, 0) / differences.length : 0;
  const squares = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0);
  const most = differences.reduce((most, d) => Math.max(most, Math.abs(d - mean)), 0);
  return { rms: Math.sqrt(squares / differences.length) / unit, most: most / unit, voxels: differences.length };
}
