/** Images whose true field is known, made by a seeded generator, and what the tests of the API share. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import {
  type Affine,
  type Backend,
  createBackend,
  type ErrorCode,
  gridOf,
  type Triple,
  type Volume,
  VoxnormError,
  volume,
} from "../../dist/index.js";

/** Both backends: what holds on one must hold on the other. */
export const bothBackends = ["native", "wasm"] as const;

/** A backend for the tests of a `describe`, and its end. */
export function useBackend(name: (typeof bothBackends)[number], threads?: number): { readonly backend: Backend } {
  const held = {} as { backend: Backend };
  beforeAll(async () => {
    held.backend = await createBackend({ backend: name, threads });
  });
  afterAll(() => held.backend.close());
  return held;
}

/** Mulberry32: numbers from 0 to 1, the same on every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const identity: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
];

/** The value of `each(x, y, z, index)` for every voxel, x fastest. */
export function fill(shape: Triple, each: (x: number, y: number, z: number, index: number) => number): Float32Array {
  const voxels = new Float32Array(shape[0] * shape[1] * shape[2]);
  let index = 0;
  for (let z = 0; z < shape[2]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let x = 0; x < shape[0]; x++, index++) voxels[index] = each(x, y, z, index);
    }
  }
  return voxels;
}

export function made(shape: Triple, each: Parameters<typeof fill>[1], affine: Affine = identity): Volume {
  return volume(fill(shape, each), shape, affine);
}

/** The same grid with other voxels. */
export function like({ grid }: Volume, each: Parameters<typeof fill>[1]): Volume {
  return volume(fill(grid.shape, each), grid.shape, grid.affine);
}

/** The same voxels on a grid moved in space. */
export function moved({ data, grid, meta }: Volume, affine: Affine): Volume {
  return { data, grid: gridOf(grid.shape, affine), meta };
}

export interface Phantom {
  readonly image: Volume;
  /** An ellipsoid of three nested tissues, of label 1. */
  readonly mask: Volume;
  /** The factor that the image was multiplied by. */
  readonly field: Float32Array;
}

/**
 * Three tissues of 70, 110 and 160 in nested ellipsoids on a background of 20, with noise of standard deviation 2,
 * times a smooth factor that spans about exp(±`strength`).
 */
export function phantom(shape: Triple, strength = 0.25, seed = 1): Phantom {
  const next = random(seed);
  const noise = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) * 2;
  // From -1 to 1 along each axis; the middle of one that has a single voxel.
  const at = (i: number, axis: 0 | 1 | 2) => (shape[axis] === 1 ? 0 : (2 * i) / (shape[axis] - 1) - 1);
  const radius = (x: number, y: number, z: number) => Math.hypot(at(x, 0), at(y, 1), at(z, 2));
  const field = fill(shape, (x, y, z) => {
    const [a, b, c] = [at(x, 0), at(y, 1), at(z, 2)];
    return Math.exp(strength * (0.6 * a - 0.5 * b * b + 0.5 * c + 0.3 * Math.sin(1.5 * c) * b));
  });
  const image = made(shape, (x, y, z, i) => {
    const r = radius(x, y, z);
    const tissue = r < 0.45 ? 160 : r < 0.7 ? 110 : r < 0.92 ? 70 : 20;
    return Math.max(1, tissue + noise()) * field[i]!;
  });
  return { image, mask: like(image, (x, y, z) => (radius(x, y, z) < 0.92 ? 1 : 0)), field };
}

/** The largest and the root mean square difference of two fields' logarithms, their mean difference removed. */
export function logDifference(a: Float32Array, b: Float32Array, chosen: (index: number) => boolean = () => true) {
  const differences: number[] = [];
  for (let i = 0; i < a.length; i++) if (chosen(i)) differences.push(Math.log(a[i]! / b[i]!));
  const mean = differences.reduce((sum, d) => sum + d, 0) / differences.length;
  const squares = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0);
  const largest = differences.reduce((most, d) => Math.max(most, Math.abs(d - mean)), 0);
  return { rms: Math.sqrt(squares / differences.length), largest };
}

/** A digest of an array's bytes by Node's own hash: equal when all bits are. */
export function bits({ data }: Volume): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}

/** The error that `work` ends with; fails where it ends well or with anything but an error of ours. */
export async function failure(work: () => unknown): Promise<VoxnormError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof VoxnormError) return error;
    throw new Error(`expected an error of voxnorm, got ${error}`, { cause: error });
  }
  throw new Error("expected an error, got none");
}

/** `code: message` of how `work` ends, or its bits: what two backends must have in common. */
export async function outcome(work: () => Promise<Volume>): Promise<string> {
  try {
    return bits(await work());
  } catch (error) {
    if (error instanceof VoxnormError) return `${error.code satisfies ErrorCode}: ${error.message}`;
    throw error;
  }
}
