/**
 * Writes NIfTI: one file or a pair, little-endian, `float32` without scaling unless the caller asks for another type (see
 * `nifti-stored.ts`); NIfTI-1, or -2 where a size exceeds 32767.
 *
 * The volume has one affine, so both forms say the same, with the code of the transform that it was read from (the
 * other transform of the input is gone, and its code would no longer be true). Readers that prefer the sform and
 * readers that prefer the qform then agree. What a quaternion cannot say, such as shear, is left to the sform: the
 * qform's code is 0. Description, units and extensions are the input's.
 *
 * Channels become a vector's values, in the fifth dimension. Several volumes are time points. Where they were read from a file of more dimensions, such as vectors at time points,
 * and there are as many as there were, they are written in its layout, with its steps and its intent.
 */
import { VoxnormError } from "../errors.ts";
import type { Affine, Grid, Triple, Volume } from "../volume.ts";
import { allocate, concatenate } from "./bytes.ts";
import type { EncodeContext } from "./format.ts";
import type { NiftiMeta } from "./nifti.ts";
import { extensionBytes } from "./nifti-extensions.ts";
import { headerSize, magicOf, type NiftiHeader } from "./nifti-header.ts";
import { farthestCorner } from "./nifti-itk.ts";
import { fromQform, type Qform, toQuaternion } from "./nifti-quaternion.ts";
import { type EncodeReport, type Scaling, storeVoxels } from "./nifti-stored.ts";
import { type DatatypeName, datatypeNames, typeNamed } from "./nifti-types.ts";
import type { Pieces } from "./platform.ts";

/** "Aligned to something": what nibabel writes where nothing is known. */
const aligned = 2;
const millimetres = 2;
/** How far the qform may misplace a corner, in the shortest step between voxels. */
const largestMiss = 0.01;

/** One file, or of a pair the header and the voxels. A single volume of `float32` is not copied. */
export async function encodeNifti(volumes: readonly Volume[], context: EncodeContext): Promise<Pieces[]> {
  const [first] = volumes;
  if (first === undefined)
    throw new VoxnormError("BadVolume", "NIfTI: expected at least one volume to write, got none");
  for (const [index, volume] of volumes.entries()) {
    check(volume, volumes.length);
    expectGrid(first.grid, volume.grid, index);
  }
  const { sizes } = layoutOf(first, volumes.length);
  const version = [...first.grid.shape, ...sizes].some((size) => size > 32767) ? 2 : 1;
  const between = extensionBytes(headerOf(first).extensions ?? []);
  const { isPair } = context;
  const head = headerSize[version] + between.length;
  const { report, pieces } = await storeVoxels(
    volumes,
    datatypeFor(first, context.datatype),
    context.datatype === "input" ? scalingOf(headerOf(first)) : undefined,
    context.backend,
    context.signal,
  );
  const bytes = allocate(head);
  const fields = fieldsOf(first, volumes.length, version, isPair ? 0 : head, report);
  if (version === 1) writeNifti1(bytes, fields, isPair);
  else writeNifti2(bytes, fields, isPair);
  bytes.set(between, headerSize[version]);
  context.onReport?.(report);
  const voxels = pieces.length === 1 ? pieces[0]! : concatenate(pieces);
  return isPair ? [[bytes], [voxels]] : [[bytes, voxels]];
}

/** The type to write; `input` is that of the file that the volume was read from. */
function datatypeFor(volume: Volume, wanted: string): DatatypeName {
  const name = wanted === "input" ? headerOf(volume).datatype : wanted;
  const found = datatypeNames.find((known) => known === name);
  if (found !== undefined) return found;
  const message = `encode: datatype: expected one of ${datatypeNames.join(", ")}, got input`;
  throw new VoxnormError("BadOption", `${message}, of a volume that was read from no NIfTI file`, { datatype: wanted });
}

/** The scaling that the volume was read by, if any. */
function scalingOf({ slope = 0, intercept = 0 }: Partial<NiftiMeta>): Scaling | undefined {
  return slope === 0 || !Number.isFinite(slope) ? undefined : [slope, intercept];
}

interface Fields {
  readonly report: EncodeReport;
  readonly offset: number;
  readonly dim: readonly number[];
  readonly pixdim: readonly number[];
  readonly qformCode: number;
  readonly sformCode: number;
  readonly qform: Qform;
  readonly sform: Affine;
  readonly units: number;
  readonly description: string;
  readonly intent: NiftiHeader["intent"];
}

/** The header that the volume was read with, where that was NIfTI. */
function headerOf({ meta }: Volume): Partial<NiftiMeta> {
  const input = meta.header as Partial<NiftiMeta> | undefined;
  return input?.format === "nifti" ? input : {};
}

function fieldsOf(volume: Volume, volumes: number, version: 1 | 2, offset: number, report: EncodeReport): Fields {
  const { grid } = volume;
  const header = headerOf(volume);
  const { sformCode, qformCode } = header;
  const code = { sform: sformCode, qform: qformCode, none: aligned }[header.transform ?? "none"] ?? aligned;
  const qform = qformOf(grid, version);
  const { sizes, steps, intent } = layoutOf(volume, volumes);
  return {
    report,
    offset,
    dim: [3 + sizes.length, ...grid.shape, ...filled(sizes, 1)],
    pixdim: [qform.qfac, ...grid.spacing, ...filled(steps, 1)],
    intent,
    qformCode: misses(qform, grid, version) ? 0 : code,
    sformCode: code,
    qform,
    sform: grid.affine,
    units: header.units?.code ?? millimetres,
    description: header.description ?? "",
  };
}

const noIntent: NiftiHeader["intent"] = { code: 0, parameters: [0, 0, 0], name: "" };

/** What says that the values along the fifth dimension belong together. */
const vector = 1007;

/** Sizes and steps beyond space, and what the values mean: those of the input where it held as many volumes. */
function layoutOf(first: Volume, volumes: number) {
  const { channels } = first.grid;
  if (channels > 1) return { sizes: [1, channels], steps: [1, 1], intent: { ...noIntent, code: vector } };
  const { dim = [], pixdim = [], intent = noIntent }: Partial<NiftiHeader> = headerOf(first);
  const count = dim[0] ?? 0;
  const sizes = dim.slice(4, 1 + count);
  const isSame = count > 4 && sizes.reduce((product, size) => product * size, 1) === volumes;
  if (isSame) return { sizes, steps: pixdim.slice(4, 1 + count), intent };
  if (volumes === 1) return { sizes: [], steps: [], intent: noIntent };
  return { sizes: [volumes], steps: [pixdim[4] ?? 1], intent: noIntent };
}

/** Four numbers. */
const filled = (values: readonly number[], filler: number) => [0, 1, 2, 3].map((index) => values[index] ?? filler);

/** As it will be read back: in the file's precision. */
function qformOf({ direction, spacing, origin }: Grid, version: 1 | 2): Qform {
  const { quaternion, qfac } = toQuaternion(direction);
  const stored = (values: Triple) => (version === 1 ? values.map(Math.fround) : values) as Triple;
  return { quaternion: stored(quaternion), qfac, spacing: stored(spacing), offset: stored(origin) };
}

/** Whether some corner of the image is not where the affine has it. */
function misses(qform: Qform, { affine, shape, spacing }: Grid, version: 1 | 2): boolean {
  const read = fromQform(qform, version);
  const tolerance = largestMiss * Math.min(...spacing);
  return affine.some((row, i) => {
    const farthest = [0, 1, 2].reduce((sum, k) => sum + Math.abs(row[k]! - read[i]![k]!) * (shape[k]! - 1), 0);
    return !(farthest <= tolerance);
  });
}

function writeNifti1(bytes: Uint8Array<ArrayBuffer>, fields: Fields, isPair: boolean): void {
  const { short, int, float, text } = writers(bytes);
  int(0, 348);
  text(38, "r", 1);
  short(40, ...fields.dim);
  float(56, ...fields.intent.parameters);
  short(68, fields.intent.code);
  short(70, ...typeOf(fields));
  float(76, ...fields.pixdim);
  float(108, fields.offset, fields.report.slope, fields.report.intercept);
  bytes[123] = fields.units;
  text(148, fields.description, 79);
  short(252, fields.qformCode, fields.sformCode);
  float(256, ...fields.qform.quaternion, ...fields.qform.offset, ...fields.sform.flat());
  text(328, fields.intent.name, 15);
  text(344, magicOf(1, isPair), 4);
}

function writeNifti2(bytes: Uint8Array<ArrayBuffer>, fields: Fields, isPair: boolean): void {
  const { short, int, long, double, text } = writers(bytes);
  int(0, 540);
  text(4, magicOf(2, isPair), 8);
  short(12, ...typeOf(fields));
  long(16, ...fields.dim);
  double(80, ...fields.intent.parameters);
  double(104, ...fields.pixdim);
  long(168, fields.offset);
  double(176, fields.report.slope, fields.report.intercept);
  text(240, fields.description, 79);
  int(344, fields.qformCode, fields.sformCode);
  double(352, ...fields.qform.quaternion, ...fields.qform.offset, ...fields.sform.flat());
  int(500, fields.units, fields.intent.code);
  text(508, fields.intent.name, 15);
}

function typeOf({ report }: Fields): [code: number, bits: number] {
  const { code, bytes } = typeNamed(report.datatype);
  return [code, 8 * bytes];
}

/** Writers of consecutive little-endian numbers. */
function writers(bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer);
  const each = (size: number, put: (at: number, value: number) => void) => {
    return (at: number, ...values: number[]) => {
      for (const [index, value] of values.entries()) put(at + size * index, value);
    };
  };
  return {
    short: each(2, (at, value) => view.setInt16(at, value, true)),
    int: each(4, (at, value) => view.setInt32(at, value, true)),
    long: each(8, (at, value) => view.setBigInt64(at, BigInt(value), true)),
    float: each(4, (at, value) => view.setFloat32(at, value, true)),
    double: each(8, (at, value) => view.setFloat64(at, value, true)),
    /** At most `room` characters of Latin-1; the rest stays 0. */
    text: (at: number, value: string, room: number) => {
      for (let index = 0; index < Math.min(room, value.length); index++) bytes[at + index] = value.charCodeAt(index);
    },
  };
}

/** A file has one grid. */
function expectGrid(grid: Grid, other: Grid, index: number): void {
  const same = grid.shape.every((size, axis) => size === other.shape[axis]);
  const mm = same ? farthestCorner(grid.affine, other.affine, grid.shape) : null;
  if (mm !== null && mm <= largestMiss * Math.min(...grid.spacing)) return;
  const found = mm === null ? `one of ${other.shape.join(" × ")}` : `one up to ${mm.toPrecision(3)} mm off`;
  const message = `NIfTI: volume ${index + 1}: expected the first one's grid of ${grid.shape.join(" × ")}, got ${found}`;
  throw new VoxnormError("GridMismatch", message, { volume: index, mm });
}

function check({ data, grid }: Volume, volumes: number): void {
  const { channels } = grid;
  const expected = grid.shape[0] * grid.shape[1] * grid.shape[2] * channels;
  if (channels > 1 && volumes > 1) {
    const message = `NIfTI: expected one channel to write of several volumes, got ${channels}`;
    throw new VoxnormError("BadVolume", message, { channels, volumes });
  }
  if (data.length !== expected) {
    const message = `NIfTI: expected ${expected} voxels for shape ${grid.shape.join(" × ")}, got ${data.length}`;
    throw new VoxnormError("BadVolume", message, { shape: grid.shape, voxels: data.length });
  }
  if (!grid.affine.flat().every(Number.isFinite)) {
    throw new VoxnormError("BadVolume", "NIfTI: expected an affine of finite numbers", {
      affine: grid.affine.map(String),
    });
  }
}
