/**
 * The slow, obvious version of what all pointwise steps share, and the images that they are tried on. A step's test
 * gives its formula as plain JavaScript in double precision; each voxel must come within a unit in the last place of it.
 */
import { afterAll, expect } from "vitest";
import {
  type Backend,
  type BoundStep,
  createBackend,
  type ErrorCode,
  gridOf,
  type Triple,
  type Volume,
} from "../../dist/index.js";
import { fill, identity, random } from "../api/images.ts";

const backends: Backend[] = await Promise.all([
  createBackend({ backend: "native", threads: 2 }),
  createBackend({ backend: "wasm", threads: 1 }),
]);
afterAll(() => Promise.all(backends.map((backend) => backend.close())));

export interface Trial {
  readonly name: string;
  readonly shape: Triple;
  readonly channels?: number;
  /** The value of a voxel; noise of a smooth object on a dark ground where it is absent. */
  readonly value?: (index: number, next: () => number) => number;
}

/** The last one spans several chunks and blocks, with a mask that crosses their borders. */
export const trials: Trial[] = [
  { name: "three voxels", shape: [3, 1, 1] },
  { name: "a lane and one", shape: [17, 1, 1] },
  { name: "a thin slab", shape: [5, 7, 2] },
  { name: "whole numbers with many ties", shape: [19, 13, 6], value: (_, next) => Math.floor(4 * next() * next()) },
  { name: "two values", shape: [16, 4, 3], value: (index) => (index % 3 === 0 ? 7 : -2) },
  { name: "a large offset", shape: [31, 9, 4], value: (_, next) => 16_000_000 + Math.floor(8 * next()) },
  { name: "three channels", shape: [13, 11, 3], channels: 3 },
  { name: "many chunks", shape: [71, 53, 29] },
];

export interface Voxels {
  readonly image: Float32Array;
  readonly mask: Float32Array;
}

function voxelsOf({ shape, channels = 1, value }: Trial): Voxels {
  const next = random(7);
  const whole: Triple = [shape[0], shape[1], shape[2] * channels];
  const object = (x: number, y: number, z: number) => {
    const distance = Math.hypot(x / whole[0] - 0.5, y / whole[1] - 0.5, z / whole[2] - 0.5);
    return distance < 0.45 ? 900 - 800 * distance + 120 * next() : 30 * next() - 10;
  };
  const image = fill(whole, (x, y, z, index) => value?.(index, next) ?? object(x, y, z));
  // Runs of chosen voxels that no row or block ends with, and holes in them.
  const mask = fill(shape, (x, _, z, index) => (index % 37 < 29 && (x + z) % 11 !== 3 ? 2 : 0));
  return { image, mask };
}

/** How many parts `per` cuts an image into; one where the step has no such option. */
function partsOf({ shape, channels = 1 }: Trial, per: unknown): number {
  return per === undefined || per === "volume" ? 1 : per === "channel" ? channels : channels * shape[2];
}

/** The chosen voxels' places in a part. */
export function chosen(values: Float32Array, mask: Float32Array, options: Record<string, unknown>): number[] {
  const { region, foreground } = options;
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const thresholds: Record<string, number> = { positive: 0, mean: Math.fround(mean) };
  const threshold = typeof foreground === "number" ? foreground : thresholds[String(foreground)];
  const is: Record<string, (i: number) => boolean> = {
    whole: () => true,
    mask: (i) => mask[i] !== 0,
    "not-mask": (i) => mask[i] === 0,
    foreground: (i) => (threshold === undefined ? values[i] !== 0 : values[i]! > threshold),
  };
  return [...values.keys()].filter(is[String(region)]!);
}

/** The mean, and the sum of squared deviations from it. */
export function moments(values: readonly number[]): { mean: number; squares: number } {
  // From the first value, so that a large offset costs no digits.
  const origin = values[0]!;
  const mean = origin + values.reduce((sum, v) => sum + (v - origin), 0) / values.length;
  return { mean, squares: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) };
}

/** Percentiles by numpy's default rule. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const index = ((sorted.length - 1) * p) / 100;
  const [low, high] = [sorted[Math.floor(index)]!, sorted[Math.ceil(index)]!];
  return low + (high - low) * (index - Math.floor(index));
}

/** What a step may be called with. */
export type OptionsOf<S> = S extends (options?: infer O) => unknown ? NonNullable<O> : never;

/** The error of a region in which what measures its spread is 0. */
export function noSpread(values: readonly number[]): ErrorCode {
  return values.every((v) => v === values[0]) ? "ConstantImage" : "NoSpread";
}

/** Each different value, in order, and the share of all that are at most it. */
export function shares(values: readonly number[]): [number, number][] {
  const sorted = Float64Array.from(values).sort();
  const isLast = (i: number) => sorted[i] !== sorted[i + 1];
  return [...sorted.keys()].filter(isLast).map((i) => [sorted[i]!, (i + 1) / sorted.length]);
}

/** What numpy's interp gives. */
export function interpolated(points: readonly [number, number][], v: number): number {
  let [first, after] = [0, points.length];
  while (first < after) {
    const middle = (first + after) >> 1;
    if (points[middle]![0] <= v) first = middle + 1;
    else after = middle;
  }
  if (first === 0 || first === points.length) return points[Math.max(first - 1, 0)]![1];
  const [[x, y], [next, value]] = [points[first - 1]!, points[first]!];
  return y + ((v - x) * (value - y)) / (next - x);
}

/** From the values of a region the function that its voxels are mapped by, or the code of the error that there is. */
export type Formula = (
  values: readonly number[],
  options: Record<string, unknown>,
  /** That the part comes out as, and how many there are. */
  channel: number,
  channels: number,
) => ((v: number) => number) | ErrorCode;

/** How a step cuts images whose options have no `per`. */
export interface Cut {
  readonly per: string;
  /** Whether the image's channels come out in reverse order. */
  readonly reversed: boolean;
}

/**
 * Runs a step on a trial, natively and in WebAssembly. Each voxel may be a unit in the last place from its formula, and
 * as much more as it moves when the formula's own numbers are rounded in double precision.
 */
export async function compare(
  bound: BoundStep<never>,
  trial: Trial,
  formula: Formula,
  others: Readonly<Record<string, Volume>> = {},
  cut: Cut = { per: String(bound.options.per ?? "volume"), reversed: false },
): Promise<void> {
  const { image: given, mask } = voxelsOf(trial);
  const { options } = bound;
  const { channels = 1 } = trial;
  const count = partsOf(trial, cut.per);
  const size = given.length / count;
  const image = cut.reversed ? reversed(given, channels) : given;
  const [expected, leeway] = [new Float64Array(image), new Float64Array(image.length)];
  let failure: ErrorCode | undefined;
  for (let part = 0; part < count; part++) {
    const values = image.subarray(part * size, (part + 1) * size);
    const own = Float32Array.from(values, (_, i) => mask[(part * size + i) % mask.length]!);
    const places = chosen(values, own, options);
    const region = places.map((i) => values[i]!);
    const map =
      places.length === 0 ? "EmptyMask" : formula(region, options, Math.floor((part * channels) / count), channels);
    if (typeof map === "string") {
      failure ??= map;
      continue;
    }
    const rounding = 1e-15 * values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const outside = options.outsideValue;
    if (options.changed === "region" && outside !== "keep")
      expected.fill(outside as number, part * size, (part + 1) * size);
    for (const i of options.changed === "region" ? places : values.keys()) {
      const exact = map(values[i]!);
      expected[part * size + i] = exact;
      leeway[part * size + i] = Math.abs(map(values[i]! + rounding) - exact);
    }
  }
  const place = (channels?: number) => ({
    grid: gridOf(trial.shape, identity, channels),
    meta: { decisions: [], warnings: [] },
  });
  const inputs = {
    image: { data: given, ...place(trial.channels) },
    ...(String(options.region).includes("mask") ? { mask: { data: mask, ...place() } } : {}),
    ...others,
  };
  for (const backend of backends) {
    const made = bound.run(inputs as never, ["image"], { backend });
    if (failure !== undefined) {
      await expect(made, `${backend.name}, ${trial.name}`).rejects.toMatchObject({ code: failure });
      continue;
    }
    const output = (await made).outputs.image!.data;
    let worst = 0;
    for (const [i, exact] of expected.entries()) {
      const off = Math.abs(output[i]! - exact) - leeway[i]!;
      worst = Math.max(worst, off / unitInTheLastPlace(exact));
    }
    expect(worst, `${backend.name}, ${trial.name}`).toBeLessThanOrEqual(1);
  }
}

function reversed(image: Float32Array, channels: number): Float32Array {
  const size = image.length / channels;
  return image.map((_, i) => image[(channels - 1 - Math.floor(i / size)) * size + (i % size)]!);
}

function unitInTheLastPlace(v: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(Math.fround(v)) || 2 ** -126))) - 23);
}
