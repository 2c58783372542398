/**
 * A NIfTI-1 or -2 header, checked: what it says is possible, and what it says of sizes can be relied on.
 *
 * nifti-reader-js parses; it checks next to nothing, so every word that decides something is checked here. Three
 * things are read from the bytes instead: the 64-bit integers of NIfTI-2 (nifti-reader-js gets large and negative
 * big-endian ones wrong), the sform of NIfTI-1 (it keeps the transform that it prefers, by another rule than
 * nibabel's), and extensions (it can run in circles on a crafted size).
 */
import { NIFTI1, NIFTI2 } from "nifti-reader-js";
import { type ErrorCode, type ErrorDetail, VoxnormError } from "../errors.ts";
import type { Affine, Triple } from "../volume.ts";
import { type StoredType, storedType } from "./nifti-types.ts";
import type { Limits } from "./options.ts";
import type { Warn } from "./warnings.ts";

/** The main fields, plain: for `meta.header`, for printing and for the writer. */
export interface NiftiHeader {
  readonly format: "nifti";
  readonly version: 1 | 2;
  readonly byteOrder: "little" | "big";
  readonly datatype: string;
  readonly datatypeCode: number;
  readonly bitpix: number;
  /** As stored: how many there are, then 7 sizes. */
  readonly dim: readonly number[];
  /** As stored: qfac, then 7 step lengths. */
  readonly pixdim: readonly number[];
  readonly voxOffset: number;
  readonly slope: number;
  readonly intercept: number;
  readonly qformCode: number;
  readonly quaternion: Triple;
  readonly qoffset: Triple;
  readonly sformCode: number;
  readonly sform: Affine;
  /** `code` is xyzt_units, with the unit of time in it. */
  readonly units: { readonly code: number; readonly space: string };
  readonly intent: { readonly code: number; readonly parameters: Triple; readonly name: string };
  readonly description: string;
  readonly auxiliaryFile: string;
}

/** What the checks found out. */
export interface Layout {
  readonly header: NiftiHeader;
  readonly type: StoredType;
  readonly shape: Triple;
  /** Of one volume. */
  readonly voxels: number;
  readonly volumes: number;
  /** How many of the volumes are values of the same voxels rather than time points. */
  readonly valuesPerVoxel: number;
  /** Where the voxels begin, of a pair in its second part. */
  readonly offset: number;
  /** How many bytes the file with the voxels must have. */
  readonly size: number;
}

/** The bytes that a header takes, by its version. */
export const headerSize = { 1: 348, 2: 540 } as const;

/**
 * The header that `start` begins with, of a single file or a pair. Throws `Truncated`, `BadHeader`, `UnknownFormat`,
 * `UnsupportedType`, `TooLarge`.
 */
export function readHeader(start: Uint8Array, isPair: boolean, limits: Limits, warn: Warn): Layout {
  const { version, little } = recognise(start, isPair);
  const header = parse(start, version, little);
  const { shape, times, valuesPerVoxel } = checkedShape(header.dim);
  const voxels = shape[0] * shape[1] * shape[2];
  const volumes = times * valuesPerVoxel;
  if (volumes > limits.volumes) {
    const message = `expected at most ${limits.volumes} volumes, got ${volumes}`;
    fail("TooLarge", `${message}; limits.volumes raises it`, { volumes, limit: limits.volumes });
  }
  if (voxels * volumes > limits.voxels) {
    const sizes = volumes > 1 ? [...shape, volumes] : shape;
    const message = `expected at most ${limits.voxels} voxels, got ${voxels * volumes} (${sizes.join(" × ")})`;
    fail("TooLarge", `${message}; limits.voxels raises it`, {
      shape,
      voxels: voxels * volumes,
      limit: limits.voxels,
    });
  }
  const type = storedType(header.datatypeCode);
  if (header.bitpix !== type.bytes * 8) {
    warn("BitpixMismatch", `bitpix is ${header.bitpix} though datatype is ${type.name}; datatype was believed`);
  }
  const offset = checkedOffset(header.voxOffset, isPair ? 0 : headerSize[version] + 4, warn);
  const size = offset + voxels * volumes * type.bytes;
  return { header, type, shape, voxels, volumes, valuesPerVoxel, offset, size };
}

/** Which version in which byte order, or why it is neither. */
function recognise(start: Uint8Array, isPair: boolean): { version: 1 | 2; little: boolean } {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const found = [true, false].flatMap((little) => {
    const size = start.length < 4 ? 0 : view.getInt32(0, little);
    return size === 348 || size === 540 ? [{ version: size === 348 ? 1 : 2, little } as const] : [];
  })[0];
  if (found === undefined) {
    const size = view.getInt32(0, true);
    return fail("BadHeader", `sizeof_hdr: expected 348 or 540 in either byte order, got ${size}`, { sizeof_hdr: size });
  }
  if (start.length < headerSize[found.version]) {
    fail("Truncated", `expected a header of ${headerSize[found.version]} bytes, got ${start.length}`, {
      declared: headerSize[found.version],
      found: start.length,
    });
  }
  checkMagic(start, found.version, isPair);
  return found;
}

function checkMagic(start: Uint8Array, version: 1 | 2, isPair: boolean): void {
  const magic = version === 1 ? text(start, 344, 348) : text(start, 4, 12);
  const expected = magicOf(version, isPair);
  if (magic === expected) return;
  const detail = { magic };
  if (magic === magicOf(version, !isPair)) {
    const message = isPair
      ? `magic: expected the header of a pair, got ${quoted(magic)}, a single file; read it without an .img`
      : `magic: expected a single file, got ${quoted(magic)}, the header of a pair; read it with its .img`;
    fail("BadHeader", message, detail);
  }
  if (version === 2 && magic.startsWith(expected.slice(0, 3))) {
    const message = `magic: expected ${quoted(expected)}, got ${quoted(magic)}`;
    fail("BadHeader", `${message}; the file was probably transferred as text`, detail);
  }
  // The same size and no magic: the older format that NIfTI-1 was made from.
  if (version === 1 && (/^\0*$/.test(magic) || start[38] === "r".charCodeAt(0))) {
    const message = "expected NIfTI, got a header without NIfTI's magic: it looks like Analyze 7.5";
    fail(
      "UnknownFormat",
      `${message}, whose orientation is undefined; convert it to NIfTI where that is known`,
      detail,
    );
  }
  fail("BadHeader", `magic: expected ${quoted(expected)}, got ${quoted(magic)}`, detail);
}

/** What marks the header of a single file or of a pair. */
export function magicOf(version: 1 | 2, isPair: boolean): string {
  return `${isPair ? "ni" : "n+"}${version}\0${version === 1 ? "" : "\r\n\x1a\n"}`;
}

function parse(start: Uint8Array, version: 1 | 2, little: boolean): NiftiHeader {
  // Exactly the header, lest nifti-reader-js goes on to the extensions.
  const bytes = start.slice(0, headerSize[version]);
  const view = new DataView(bytes.buffer);
  const parsed = version === 1 ? new NIFTI1() : new NIFTI2();
  parsed.readHeader(bytes.buffer);
  const long = (at: number) => Number(view.getBigInt64(at, little));
  const row = (index: number) =>
    [0, 1, 2, 3].map((column) =>
      version === 1
        ? view.getFloat32(280 + 16 * index + 4 * column, little)
        : view.getFloat64(400 + 32 * index + 8 * column, little),
    ) as Affine[0];
  const units = parsed.xyzt_units;
  return {
    format: "nifti",
    version,
    byteOrder: little ? "little" : "big",
    datatype: storedType(parsed.datatypeCode).name,
    datatypeCode: parsed.datatypeCode,
    bitpix: parsed.numBitsPerVoxel,
    dim: version === 1 ? parsed.dims : parsed.dims.map((_, index) => long(16 + 8 * index)),
    pixdim: parsed.pixDims,
    voxOffset: version === 1 ? parsed.vox_offset : long(168),
    slope: parsed.scl_slope,
    intercept: parsed.scl_inter,
    qformCode: parsed.qform_code,
    quaternion: [parsed.quatern_b, parsed.quatern_c, parsed.quatern_d],
    qoffset: [parsed.qoffset_x, parsed.qoffset_y, parsed.qoffset_z],
    sformCode: parsed.sform_code,
    sform: [row(0), row(1), row(2)],
    units: { code: units, space: ["unknown", "metres", "mm", "micrometres"][units & 7] ?? "unknown" },
    intent: {
      code: parsed.intent_code,
      parameters: [parsed.intent_p1, parsed.intent_p2, parsed.intent_p3],
      name: parsed.intent_name,
    },
    description: parsed.description,
    auxiliaryFile: parsed.aux_file,
  };
}

/** Voxels along x, y, z, and what there is of such volumes. Sizes past `dim[0]` are ignored, as nibabel does. */
function checkedShape(dim: readonly number[]): { shape: Triple; times: number; valuesPerVoxel: number } {
  const count = dim[0]!;
  if (count < 1 || count > 7) fail("BadHeader", `dim[0]: expected 1 to 7 dimensions, got ${count}`, { dim });
  const sizes = dim.slice(1, 1 + count);
  if (sizes[0] === -1) {
    const message = "dim[1]: expected ≥ 1, got -1: FreeSurfer's way of storing a vector too long for NIfTI-1";
    fail("BadHeader", `${message}, which voxnorm does not read`, { dim });
  }
  const bad = sizes.findIndex((size) => size < 1);
  if (bad >= 0) fail("BadHeader", `dim[${bad + 1}]: expected ≥ 1, got ${sizes[bad]}`, { dim });
  const values = sizes.reduce((product, size) => product * size, 1);
  if (values > Number.MAX_SAFE_INTEGER) {
    fail("TooLarge", `dim: expected a product below 2^53, got ${sizes.join(" × ")}`, { dim });
  }
  const [x = 1, y = 1, z = 1, times = 1, ...others] = sizes;
  const valuesPerVoxel = others.reduce((product, size) => product * size, 1);
  return { shape: [x, y, z], times, valuesPerVoxel };
}

/**
 * Where the voxels begin. A fraction is dropped, as nibabel does. 0 is taken as the first place that a single file
 * allows: nibabel 5.4.2 takes the word for it and returns the header's own bytes as voxels, ITK and nifti_io do not.
 */
function checkedOffset(offset: number, first: number, warn: Warn): number {
  if (offset === 0 && first > 0) {
    warn("VoxOffsetRepaired", `vox_offset is 0, which is within the header; ${first} was used`);
    return first;
  }
  if (!(offset >= first && offset <= Number.MAX_SAFE_INTEGER)) {
    fail("BadHeader", `vox_offset: expected ≥ ${first}, got ${offset}`, { vox_offset: String(offset) });
  }
  const whole = Math.trunc(offset);
  if (whole !== offset) warn("VoxOffsetRepaired", `vox_offset is ${offset}; ${whole} was used`);
  return whole;
}

function fail(code: ErrorCode, message: string, detail: ErrorDetail): never {
  throw new VoxnormError(code, `NIfTI: ${message}`, detail);
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

const quoted = (magic: string) => JSON.stringify(magic);
