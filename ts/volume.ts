/**
 * A volume: voxels, where they lie, and what the reader learnt.
 *
 * - `shape` is `[nx, ny, nz]`; x is fastest in memory. A 2-D image has nz = 1.
 * - World axes are RAS+ (x to the right, y to the front, z up) in millimetres; DICOM and ITK use LPS.
 * - Channels share one grid and lie one after the other in `data`; time points are separate volumes.
 * - Voxels are `float32`; the writer chooses the file's type and says so. A mask's may be bytes.
 */
import { type ErrorDetail, VoxnormError } from "./errors.ts";
import { show } from "./schema.ts";

export type Triple = [number, number, number];

/** Three rows of four: world = affine · (i, j, k, 1). */
export type Affine = [
  [number, number, number, number],
  [number, number, number, number],
  [number, number, number, number],
];

export interface Grid {
  /** Voxels along x, y, z. */
  readonly shape: Triple;
  /** Voxel index to world mm, shear and all: the one source of the three below. */
  readonly affine: Affine;
  /** Length in mm of one step along each axis. */
  readonly spacing: Triple;
  /** World position in mm of the first voxel. */
  readonly origin: Triple;
  /** Rows of a 3×3 matrix whose columns are the axes' unit vectors. */
  readonly direction: [Triple, Triple, Triple];
  readonly channels: number;
  /** The same as ITK would hold it, where the volume was read from a file. */
  readonly itk?: ItkFrame;
}

/**
 * A grid as ITK holds it: in LPS, axes apart from spacing. Where steps follow ITK to ties, its rounding errors decide,
 * which the affine does not show.
 */
export interface ItkFrame {
  readonly spacing: Triple;
  readonly origin: Triple;
  readonly direction: [Triple, Triple, Triple];
}

export interface Meta {
  /** Where the volume came from: a path, a name, or nothing. */
  readonly source?: string;
  /** What the reader decided and why, in sentences. */
  readonly decisions: readonly string[];
  /** What a user should know: repairs, lossy conversions, odd headers. */
  readonly warnings: readonly Warning[];
  /** The file's own header, as the format's reader keeps it for rewriting. */
  readonly header?: unknown;
}

export interface Warning {
  readonly code: string;
  readonly message: string;
}

export interface Volume<Data extends Float32Array | Uint8Array = Float32Array> {
  readonly data: Data;
  readonly grid: Grid;
  readonly meta: Meta;
}

/** Says which voxels count. As bytes it takes a quarter of the memory; what comes of it is the same. */
export type Mask = Volume<Float32Array | Uint8Array>;

/** A grid from its shape and affine; spacing, origin and direction follow from them. */
export function gridOf(shape: Triple, affine: Affine, channels = 1): Grid {
  const column = (axis: number) => affine.map((row) => row[axis] ?? 0) as Triple;
  const spacing = [0, 1, 2].map((axis) => Math.sqrt(column(axis).reduce((sum, v) => sum + v * v, 0))) as Triple;
  const direction = affine.map((row) => spacing.map((s, axis) => (row[axis] ?? 0) / s)) as Grid["direction"];
  return { shape, affine, spacing, origin: column(3), direction, channels };
}

/** An affine of axis-aligned voxels. */
export function scaling(spacing: Triple, origin: Triple = [0, 0, 0]): Affine {
  return [
    [spacing[0], 0, 0, origin[0]],
    [0, spacing[1], 0, origin[1]],
    [0, 0, spacing[2], origin[2]],
  ];
}

/** A volume of one channel from voxels that are at hand. Throws `BadVolume` where they don't fill the shape. */
export function volume(data: Float32Array, shape: Triple, affine: Affine = scaling([1, 1, 1])): Volume {
  return expectVolume("volume", { data, grid: gridOf(shape, affine), meta: { decisions: [], warnings: [] } });
}

/** `value`, which is a volume whose voxels fill its shape and whose axes are independent; `BadVolume` otherwise. */
export function expectVolume(what: string, value: unknown): Volume {
  return expectData(what, value, ["Float32Array"]) as Volume;
}

/** As `expectVolume`, of a mask. */
export function expectMask(what: string, value: unknown): Mask {
  return expectData(what, value, ["Float32Array", "Uint8Array"]);
}

function expectData(what: string, value: unknown, kinds: readonly string[]): Mask {
  const fail = (message: string, detail: ErrorDetail = {}): never => {
    throw new VoxnormError("BadVolume", `${what}: ${message}`, detail);
  };
  const { data, grid } = (value ?? {}) as Partial<Mask>;
  // By name, since an array of another realm is none of ours to `instanceof`.
  const isData = kinds.includes(Object.prototype.toString.call(data).slice("[object ".length, -1));
  if (!isData || data === undefined || !Array.isArray(grid?.shape) || !Array.isArray(grid.affine)) {
    return fail(`expected a volume: ${kinds.join(" or ")} data on a grid`);
  }
  const { shape, channels, affine } = grid;
  if (shape.length !== 3 || ![...shape, channels].every((n) => Number.isInteger(n) && n >= 1)) {
    fail(`expected a shape of three whole numbers and channels, each at least 1, got ${shape.join("×")}`, { shape });
  }
  const expected = shape[0] * shape[1] * shape[2] * channels;
  if (data.length !== expected) {
    fail(`expected ${expected} voxels for shape ${shape.join("×")}, got ${data.length}`, {
      shape,
      voxels: data.length,
    });
  }
  if (!affine.flat().every(Number.isFinite) || !hasIndependentAxes(affine)) {
    fail(`expected an affine of finite numbers and three independent axes, got ${show(affine)}`);
  }
  return value as Mask;
}

/** Smallest volume that the three axes' unit vectors may span: below it they are linearly dependent. */
const flattest = 1e-6;

/** Whether no axis lies in the plane of the others, or has no length. */
export function hasIndependentAxes(affine: Affine): boolean {
  const [[a, b, c], [d, e, f], [g, h, i]] = gridOf([1, 1, 1], affine).direction;
  // An axis of length 0 has no direction, and the volume is NaN.
  return Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) > flattest;
}
