/**
 * Which of NIfTI's transforms places the image, as nibabel 5.4 decides it.
 *
 * The sform where its code is one of 1 to 5, else the qform where its code is, else the image is centred at the
 * origin with x to the left (nibabel's "base affine"). ITK differs in all three, see `nifti-itk.ts`.
 */
import { type ErrorDetail, VoxnormError } from "../errors.ts";
import { type Affine, gridOf, hasIndependentAxes, type ItkFrame, scaling, type Triple } from "../volume.ts";
import type { NiftiHeader } from "./nifti-header.ts";
import { noteItk } from "./nifti-itk.ts";
import { fromQform } from "./nifti-quaternion.ts";
import type { Notes } from "./warnings.ts";

/** Largest angle by which axes may miss 90° with nothing said: what rounding to `float32` leaves is below it. */
const unnoticedShear = 0.01;
/** By how much a quaternion's squared length may exceed 1 through rounding. nibabel allows 3.6e-7, nifti_io anything. */
const quaternionRounding = 1e-5;

export type TransformSource = "sform" | "qform" | "none";

export interface Placement {
  readonly affine: Affine;
  readonly from: TransformSource;
  readonly itk?: ItkFrame | undefined;
}

/** Throws `BadHeader` where the transform in use is singular or not finite. Warns where ITK would decide otherwise. */
export function placement(header: NiftiHeader, shape: Triple, notes: Notes): Placement {
  const placed = asNibabel(header, shape, notes);
  return { ...placed, itk: noteItk(header, shape, placed.affine, notes) };
}

function asNibabel(header: NiftiHeader, shape: Triple, notes: Notes): Placement {
  const notFinite = header.pixdim.slice(1, 1 + Math.min(3, header.dim[0]!)).findIndex((size) => !Number.isFinite(size));
  if (notFinite >= 0) {
    fail(`pixdim[${notFinite + 1}]: expected a finite length, got ${header.pixdim[notFinite + 1]}`, {
      pixdim: header.pixdim.map(String),
    });
  }
  const sformCode = knownCode("sform_code", header.sformCode, notes);
  const qformCode = knownCode("qform_code", header.qformCode, notes);
  if (sformCode > 0) {
    const over = qformCode > 0 ? `, rather than the qform (code ${qformCode}, ${meanings[qformCode]})` : "";
    notes.decide(`The sform places the image (code ${sformCode}, ${meanings[sformCode]})${over}.`);
    return { affine: checked(header.sform, "sform", notes), from: "sform" };
  }
  const spacing = repairedSpacing(header, notes);
  if (qformCode > 0) {
    notes.decide(`The qform places the image (code ${qformCode}, ${meanings[qformCode]}); there is no sform.`);
    return { affine: checked(qform(header, spacing, notes), "qform", notes), from: "qform" };
  }
  const message = "neither sform nor qform is given; the image was centred at the origin with x to the left";
  notes.warn("NoOrientation", message);
  notes.decide("No transform is given: the image is centred at the origin with x to the left, as nibabel does.");
  const used = spacing.map((size, axis) => (axis < header.dim[0]! ? size : 1)) as Triple;
  return { affine: checked(base(shape, used), "pixdim", notes), from: "none" };
}

const meanings = ["unknown", "scanner", "aligned", "Talairach", "MNI 152", "template"];

/** 0 for a code that is not defined, as nibabel does. */
function knownCode(name: string, code: number, notes: Notes): number {
  if (code in meanings) return code;
  notes.warn("UnknownTransformCode", `${name}: expected 0 to 5, got ${code}; the transform was ignored`);
  return 0;
}

function repairedSpacing(header: NiftiHeader, notes: Notes): Triple {
  return [1, 2, 3].map((axis) => {
    // Sizes of axes that the image does not have are often 0 and mean nothing.
    if (axis > header.dim[0]!) return header.pixdim[axis]! > 0 ? header.pixdim[axis]! : 1;
    const size = header.pixdim[axis]!;
    if (size > 0) return size;
    notes.warn("SpacingRepaired", `pixdim[${axis}]: expected > 0 mm, got ${size}; 1 mm was used`);
    return 1;
  }) as Triple;
}

function qform(header: NiftiHeader, spacing: Triple, notes: Notes): Affine {
  const { quaternion, qoffset: offset } = header;
  const squared = quaternion.reduce((sum, part) => sum + part * part, 0);
  if (!(squared <= 1 + quaternionRounding)) {
    fail(`quaternion: expected b² + c² + d² ≤ 1, got ${squared}`, { quaternion: quaternion.map(String) });
  }
  const stored = header.pixdim[0]!;
  // 0 is what files from before there was a qfac have.
  if (Math.abs(stored) !== 1 && stored !== 0) {
    notes.warn("QfacRepaired", `pixdim[0]: expected 1 or -1, got ${stored}; 1 was used`);
  }
  return fromQform({ quaternion, qfac: stored === -1 ? -1 : 1, spacing, offset }, header.version);
}

/** nibabel's `shape_zoom_affine` with its flip of x. */
function base(shape: Triple, spacing: Triple): Affine {
  const half = (axis: number) => (spacing[axis]! * (shape[axis]! - 1)) / 2;
  return scaling([-spacing[0], spacing[1], spacing[2]], [half(0), 0 - half(1), 0 - half(2)]);
}

function checked(affine: Affine, name: string, notes: Notes): Affine {
  if (!affine.flat().every(Number.isFinite)) {
    fail(`${name}: expected finite numbers, got ${JSON.stringify(affine)}`, { affine: affine.map(String) });
  }
  const { spacing, direction } = gridOf([1, 1, 1], affine);
  if (!hasIndependentAxes(affine)) {
    fail(`${name}: expected three independent axes, got a singular matrix`, { affine, spacing });
  }
  const shear = largestShear(direction);
  if (shear > unnoticedShear) {
    const degrees = shear.toFixed(2);
    notes.warn("Sheared", `the voxels' axes miss right angles by up to ${degrees}°; the shear was kept`);
  }
  return affine;
}

/** The largest angle in degrees by which two axes miss being perpendicular. */
export function largestShear(direction: readonly Triple[]): number {
  const cosine = (p: number, q: number) => direction.reduce((sum, row) => sum + row[p]! * row[q]!, 0);
  const largest = Math.max(...[cosine(0, 1), cosine(0, 2), cosine(1, 2)].map(Math.abs));
  return (Math.asin(Math.min(1, largest)) * 180) / Math.PI;
}

function fail(message: string, detail: ErrorDetail): never {
  throw new VoxnormError("BadHeader", `NIfTI: ${message}`, detail);
}
