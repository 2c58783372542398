/**
 * Where ITK 5.4 (SimpleITK, ANTs, Slicer) would place the image, and a warning where that is elsewhere.
 *
 * ITK takes the sform where its code is 1, where there is no qform, or where the two are alike; otherwise the qform. An
 * sform with shear it takes never, and refuses the file where there is nothing else. Directions are the transform's,
 * voxel sizes always pixdim's. With neither code, x runs to the left and y to the back from 0. Metres and micrometres it
 * converts. The cases in test/cases/nifti/itk.json are SimpleITK's own.
 */
import { type Affine, gridOf, hasIndependentAxes, type ItkFrame, type Triple } from "../volume.ts";
import type { NiftiHeader } from "./nifti-header.ts";
import { singularValues } from "./singular-values.ts";
import type { Notes } from "./warnings.ts";

/** What a corner may be off with nothing said, in the shortest step between voxels. */
const unnoticed = 0.1;
/** How far ITK lets two forms differ that it calls alike, and an sform from having no shear. */
const alike = 1e-4;

export interface ItkPlacement {
  /** In RAS+ millimetres. */
  readonly affine: Affine;
  /** The same to the last bit. */
  readonly frame: ItkFrame;
  /** What it is made of. */
  readonly from: string;
}

/** Where ITK would place the image, or `refused`. */
export function itkPlacement(header: NiftiHeader): ItkPlacement | "refused" {
  const { sform, sformCode, qformCode, pixdim } = header;
  const unit = { metres: 1000, micrometres: 0.001 }[header.units.space] ?? 1;
  const sizes = [1, 2, 3].map((axis) => (axis <= header.dim[0]! && pixdim[axis]) || 1) as Triple;
  const sized = (placed: Affine, from: string) => {
    const sign = [-1, -1, 1];
    // Not -0, which JSON has not.
    const turned = (row: number, value: number) => sign[row]! * value + 0;
    const frame: ItkFrame = {
      spacing: sizes.map((size) => size * unit) as Triple,
      origin: placed.map((row, i) => turned(i, row[3] * unit)) as Triple,
      direction: gridOf([1, 1, 1], placed).direction.map((row, i) =>
        row.map((value) => turned(i, value)),
      ) as ItkFrame["direction"],
    };
    const affine = frame.direction.map((row, i) => [
      ...row.map((value, axis) => turned(i, value * frame.spacing[axis]!)),
      turned(i, frame.origin[i]!),
    ]);
    return { affine: affine as Affine, frame, from };
  };
  if (sformCode <= 0 && qformCode <= 0) {
    const turned: Affine = [
      [-1, 0, 0, 0],
      [0, -1, 0, 0],
      [0, 0, 1, 0],
    ];
    return sized(turned, "neither transform");
  }
  const spacing = sizes.map((size) => (size > 0 ? size : 1)) as Triple;
  const qform = quaternionMatrix(header, spacing);
  const isSheared = !hasRightAngles(sform);
  if (sformCode > 0 && !isSheared && (sformCode === 1 || qformCode <= 0 || areAlike(sform, qform))) {
    return sized(sform, "the sform with the voxel sizes of pixdim");
  }
  if (qformCode > 0) return sized(qform, "the qform");
  return "refused";
}

/**
 * ITK's frame, where it has one. Warns where its image would lie elsewhere, with the distance of the corner that is
 * farthest from ours.
 */
export function noteItk(header: NiftiHeader, shape: Triple, affine: Affine, notes: Notes): ItkFrame | undefined {
  const placed = itkPlacement(header);
  if (placed === "refused") {
    notes.warn("ItkDiffers", "ITK would refuse this file: its only transform is a sheared sform");
    return undefined;
  }
  const { frame } = placed;
  const isSound = frame.spacing.every((mm) => mm > 0) && placed.affine.flat().every(Number.isFinite);
  const usable = isSound && hasIndependentAxes(placed.affine) ? frame : undefined;
  const distance = farthestCorner(affine, placed.affine, shape);
  if (distance <= unnoticed * Math.min(...gridOf(shape, affine).spacing)) return usable;
  const far = Number.isFinite(distance) ? `up to ${distance.toPrecision(3)} mm from here` : "nowhere";
  notes.warn("ItkDiffers", `ITK would place this image ${far}: it would use ${placed.from}`);
  return usable;
}

/** The quaternion's matrix as nifti_io computes and stores it: in single precision. */
function quaternionMatrix({ quaternion, qoffset, pixdim }: NiftiHeader, [sx, sy, sz]: Triple): Affine {
  let [b, c, d] = quaternion;
  let a = 1 - (b * b + c * c + d * d);
  if (a < 1e-7) {
    const scale = 1 / Math.sqrt(b * b + c * c + d * d);
    [a, b, c, d] = [0, b * scale, c * scale, d * scale];
  } else {
    a = Math.sqrt(a);
  }
  const z = pixdim[0]! < 0 ? -sz : sz;
  return [
    [(a * a + b * b - c * c - d * d) * sx, 2 * (b * c - a * d) * sy, 2 * (b * d + a * c) * z, qoffset[0]],
    [2 * (b * c + a * d) * sx, (a * a + c * c - b * b - d * d) * sy, 2 * (c * d - a * b) * z, qoffset[1]],
    [2 * (b * d - a * c) * sx, 2 * (c * d + a * b) * sy, (a * a + d * d - c * c - b * b) * z, qoffset[2]],
  ].map((row) => row.map(Math.fround)) as Affine;
}

/** The largest distance in mm between the places that two affines give to a corner voxel. */
export function farthestCorner(a: Affine, b: Affine, shape: Triple): number {
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => shape.map((n, axis) => ((bits >> axis) & 1) * (n - 1)));
  const distances = corners.map((corner) => {
    const apart = a.map((row, i) =>
      row.reduce((sum, value, k) => sum + (value - b[i]![k]!) * (k < 3 ? corner[k]! : 1), 0),
    );
    return Math.hypot(...apart);
  });
  return Math.max(...distances);
}

function hasRightAngles(affine: Affine): boolean {
  const { direction } = gridOf([1, 1, 1], affine);
  return direction.every((row, i) =>
    direction.every((other, k) => {
      const product = row.reduce((sum, value, axis) => sum + value * other[axis]!, 0);
      return Math.abs(product - (i === k ? 1 : 0)) <= alike;
    }),
  );
}

/**
 * ITK compares singular values and left vectors, which do not see that an axis is turned round. Where two voxel sizes are
 * nearly equal, the vectors of forms that differ by a rounding may have nothing in common.
 */
function areAlike(a: Affine, b: Affine): boolean {
  const isAlike = (p: readonly number[], q: readonly number[]) => p.every((v, i) => Math.abs(v - q[i]!) <= alike);
  const [first, second] = [a, b].map((rows) => singularValues(rows.map(([x, y, z]): Triple => [x, y, z])));
  if (first === undefined || second === undefined) return false;
  return (
    isAlike(first.values, second.values) &&
    isAlike(first.vectors.flat(), second.vectors.flat()) &&
    isAlike(
      a.map((row) => row[3]),
      b.map((row) => row[3]),
    )
  );
}
