/** Whether two volumes lie in the same place, and by how much they do not. */
import { VoxnormError } from "./errors.ts";
import { show } from "./schema.ts";
import type { Affine, Grid, Triple } from "./volume.ts";

/** Corners of two grids may differ by this many mm, unless a caller says otherwise: what float32 headers round away. */
export const defaultGridTolerance = 0.01;

export interface GridDifference {
  /** Largest distance in mm between corresponding corner voxels. */
  readonly mm: number;
  /** Largest angle in degrees between corresponding axes. */
  readonly degrees: number;
}

/** Throws `BadOption` for what is no distance; with NaN, nothing would ever be too far off. */
export function expectGridTolerance(what: string, tolerance: number): void {
  if (typeof tolerance === "number" && tolerance >= 0) return;
  throw new VoxnormError("BadOption", `${what}: gridTolerance: expected at least 0 mm, got ${show(tolerance)}`, {
    option: "gridTolerance",
    got: tolerance,
  });
}

/** How far `other` lies from `grid`; both of the same shape. */
export function gridDifference(grid: Grid, other: Grid): GridDifference {
  const last = grid.shape.map((n) => n - 1) as Triple;
  let mm = 0;
  for (let corner = 0; corner < 8; corner++) {
    const index = last.map((n, axis) => ((corner >> axis) & 1 ? n : 0)) as Triple;
    const [a, b] = [worldOf(grid.affine, index), worldOf(other.affine, index)];
    mm = Math.max(mm, Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
  }
  const axes = ([0, 1, 2] as const).map((axis) => {
    const [a, b] = [grid, other].map((g) => g.direction.map((row) => row[axis]) as Triple) as [Triple, Triple];
    // The sine resolves small angles, which the cosine rounds to nothing.
    const cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    return (Math.atan2(Math.hypot(...cross), dot) * 180) / Math.PI;
  });
  return { mm, degrees: Math.max(...axes) };
}

/** The world position in mm of a voxel index. */
export function worldOf(affine: Affine, index: Triple): Triple {
  return affine.map((row) => row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + row[3]) as Triple;
}

/** Throws `GridMismatch`, with the numbers, unless `other` has the shape of `grid` and lies within `tolerance` mm. */
export function expectSameGrid(what: string, grid: Grid, other: Grid, tolerance: number, whose = "image"): void {
  if (grid.shape.some((n, axis) => n !== other.shape[axis])) {
    const [expected, got] = [grid.shape, other.shape].map((shape) => shape.join("×"));
    throw new VoxnormError("GridMismatch", `${what}: expected the ${whose}'s shape ${expected}, got ${got}`, {
      expected: grid.shape,
      got: other.shape,
    });
  }
  const difference = gridDifference(grid, other);
  if (!(difference.mm <= tolerance)) {
    const found = `${difference.mm.toPrecision(3)} mm and ${difference.degrees.toPrecision(3)}° off`;
    const advice = `resample it onto the ${whose}, or raise gridTolerance if they do belong together`;
    throw new VoxnormError(
      "GridMismatch",
      `${what}: expected the ${whose}'s position within ${tolerance} mm, got one ${found}; ${advice}`,
      { ...difference, tolerance },
    );
  }
}

/** The way each axis grows, such as `RAS`: for each voxel axis the world axis it lies nearest to. */
export function axisCodes(grid: Grid): string {
  const letters = ["LR", "PA", "IS"];
  const free = new Set([0, 1, 2]);
  const codes = ["", "", ""];
  // The clearest axis chooses first, so that an oblique one cannot take its letter.
  const clarity = (axis: number) => Math.max(...grid.direction.map((row) => Math.abs(row[axis] ?? 0)));
  for (const axis of [0, 1, 2].sort((a, b) => clarity(b) - clarity(a))) {
    const along = (world: number) => grid.direction[world as 0 | 1 | 2][axis as 0 | 1 | 2];
    const world = [...free].reduce((best, each) => (Math.abs(along(each)) > Math.abs(along(best)) ? each : best));
    free.delete(world);
    codes[axis] = letters[world]?.charAt(along(world) > 0 ? 1 : 0) ?? "";
  }
  return codes.join("");
}

/** By how many degrees the axis that is furthest from all world axes misses the nearest. */
export function obliquity({ direction }: Grid): number {
  const misses = [0, 1, 2].map((axis) => {
    const along = direction.map((row) => Math.abs(row[axis] ?? 0)).sort((a, b) => a - b) as Triple;
    // The tangent resolves small angles, which the cosine rounds to nothing.
    return Math.atan2(Math.hypot(along[0], along[1]), along[2]);
  });
  return (Math.max(...misses) * 180) / Math.PI;
}
