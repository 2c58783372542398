/**
 * Cuts a volume into the three planes that people know, whatever order and sense its axes have.
 *
 * Each anatomical axis (R, A, S) is matched with the voxel axis closest to it; voxels are shown as they are
 * stored, not resampled, so an oblique scan is shown in its own planes and `tilt` says by how much they differ.
 */
import type { Grid, Volume } from "voxnorm";

export const planes = ["axial", "coronal", "sagittal"] as const;
export type Plane = (typeof planes)[number];

/** Radiological: as seen from the feet and from the front, the patient's left is on the right of the screen. */
export type Convention = "radiological" | "neurological";

/** For each of R, A, S: the voxel axis along it, and whether the index grows that way. */
export interface Orientation {
  readonly axes: readonly [number, number, number];
  readonly grows: readonly [boolean, boolean, boolean];
  /** Degrees between a voxel axis and the anatomical one, at most. */
  readonly tilt: number;
}

/** What a screen's axes show: 0 is R, 1 is A, 2 is S. */
const layout = {
  axial: { across: 0, up: 1, through: 2 },
  coronal: { across: 0, up: 2, through: 1 },
  sagittal: { across: 1, up: 2, through: 0 },
} as const;

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

export function orientationOf({ direction }: Grid): Orientation {
  const cosine = (world: number, axis: number) => direction[world]![axis]!;
  const closeness = (axes: readonly number[]) => axes.reduce((sum, axis, world) => sum + cosine(world, axis) ** 2, 0);
  const axes = orders.reduce((best, next) => (closeness(next) > closeness(best) ? next : best));
  const cosines = axes.map((axis, world) => cosine(world, axis));
  const worst = Math.min(1, ...cosines.map(Math.abs));
  const grows = cosines.map((value) => value >= 0) as unknown as Orientation["grows"];
  return { axes, grows, tilt: (Math.acos(worst) * 180) / Math.PI };
}

export interface Slice {
  readonly width: number;
  readonly height: number;
  /** Row by row from the top left of the screen. */
  readonly values: Float32Array;
}

/** The slice number `index`, counted towards R, A or S. */
export function sliceOf(
  { data, grid }: Pick<Volume, "data" | "grid">,
  plane: Plane,
  index: number,
  convention: Convention,
): Slice {
  const { axes, grows } = orientationOf(grid);
  const { across, up, through } = layout[plane];
  const [nx, ny] = grid.shape;
  const strides = [1, nx, nx * ny];
  const size = (world: number) => grid.shape[axes[world]!]!;
  /** Where a walk along `world` starts and by how much it steps, in its sense or against it. */
  const walk = (world: number, along: boolean) => {
    const stride = strides[axes[world]!]!;
    return along === grows[world] ? { start: 0, step: stride } : { start: (size(world) - 1) * stride, step: -stride };
  };
  const columns = walk(across, rightIsPositive(plane, convention));
  const rows = walk(up, false);
  const depth = walk(through, true);
  const [width, height] = [size(across), size(up)];
  const values = new Float32Array(width * height);
  const first = depth.start + index * depth.step + columns.start + rows.start;
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to++) {
      values[to] = data[first + row * rows.step + column * columns.step]!;
    }
  }
  return { width, height, values };
}

/** How many slices a plane has, and its width and height in mm. */
export function extentOf(grid: Grid, plane: Plane): { slices: number; width: number; height: number } {
  const { axes } = orientationOf(grid);
  const { across, up, through } = layout[plane];
  const length = (world: number) => grid.shape[axes[world]!]! * grid.spacing[axes[world]!]!;
  return { slices: grid.shape[axes[through]!]!, width: length(across), height: length(up) };
}

/** Where the middle of a slice lies along its own axis: mm, and the letter of the side it is on. */
export function positionOf(grid: Grid, plane: Plane, index: number): string {
  const { axes, grows } = orientationOf(grid);
  const { through } = layout[plane];
  const voxel = grid.shape.map((n) => (n - 1) / 2);
  const axis = axes[through]!;
  voxel[axis] = grows[through] ? index : grid.shape[axis]! - 1 - index;
  const row = grid.affine[through]!;
  const mm = row[0] * voxel[0]! + row[1] * voxel[1]! + row[2] * voxel[2]! + row[3];
  const distance = Math.abs(mm).toFixed(1);
  return distance === "0.0" ? "0.0 mm" : `${distance} mm ${letters[through][mm > 0 ? 0 : 1]}`;
}

const letters = [
  ["R", "L"],
  ["A", "P"],
  ["S", "I"],
] as const;

/** The letters at the edges of a plane. */
export function edgesOf(plane: Plane, convention: Convention) {
  const { across, up } = layout[plane];
  const [positive, negative] = letters[across];
  const isPositive = rightIsPositive(plane, convention);
  return {
    left: isPositive ? negative : positive,
    right: isPositive ? positive : negative,
    top: letters[up][0],
    bottom: letters[up][1],
  };
}

/** Sagittal slices face left, as is usual, under either convention. */
function rightIsPositive(plane: Plane, convention: Convention): boolean {
  return plane !== "sagittal" && convention === "neurological";
}
