/**
 * NIfTI-1 and -2, in a single file or as a pair of header and voxels, read as nibabel 5.4 reads them: `float32` out, whatever is stored.
 *
 * Scaling: `stored × scl_slope + scl_inter` in double precision, rounded once; a slope of 0 or NaN means none, and
 * then the intercept is ignored too (ITK adds it). Units: millimetres, whatever the header says, with a warning.
 * Time points and the values of vectors are volumes of their own; sizes of 1 in further dimensions are dropped.
 *
 * Where nibabel is lenient and the result would be a guess, this is an error; each has its code and its numbers.
 */
import { VoxnormError } from "../errors.ts";
import { gridOf, type Mask } from "../volume.ts";
import type { Content } from "./content.ts";
import type { DecodeContext, Format } from "./format.ts";
import { placement, type TransformSource } from "./nifti-affine.ts";
import { type Extension, readExtensions, readPairExtensions } from "./nifti-extensions.ts";
import { headerSize, type Layout, type NiftiHeader, readHeader } from "./nifti-header.ts";
import { encodeNifti } from "./nifti-write.ts";
import { limitOptions } from "./options.ts";
import type { Notes } from "./warnings.ts";

/** What `meta.header` is for a volume read from NIfTI. */
export interface NiftiMeta extends NiftiHeader {
  readonly transform: TransformSource;
  readonly extensions: readonly Extension[];
}

export const nifti: Format = {
  id: "nifti",
  extensions: [".nii", ".nii.gz", ".hdr with .img"],
  recognises,
  declaredVoxels: (start, isPair) => {
    const { voxels, volumes } = readHeader(start, isPair, limitOptions.parse({}), () => {});
    return voxels * volumes;
  },
  decode,
  encode: encodeNifti,
};

/** By sizeof_hdr in either byte order, or by the magic: where one of the two is wrong, the error should say so. */
function recognises(start: Uint8Array): boolean {
  const size = [...start.subarray(0, 4)].join(" ");
  const sizes = ["92 1 0 0", "0 0 1 92", "28 2 0 0", "0 0 2 28"];
  const magic = (at: number) => String.fromCharCode(...start.subarray(at, at + 3));
  return sizes.includes(size) || ["n+1", "ni1"].includes(magic(344)) || ["n+2", "ni2"].includes(magic(4));
}

async function decode(content: Content, context: DecodeContext): Promise<Mask[]> {
  const { notes, limits, img } = context;
  const start = await content.start(headerSize[2]);
  const layout = readHeader(start, img !== undefined, limits, notes.warn);
  const { header, shape, offset } = layout;
  if (context.single && layout.volumes > 1) throw several(layout);
  notes.decide(
    `NIfTI-${header.version}, ${header.byteOrder}-endian ${header.datatype}, ${sizes(layout)} voxels` +
      `${img === undefined ? "" : ", a pair"}${(img ?? content).compressed ? ", gzip" : ""}.`,
  );
  const { affine, from, itk } = placement(header, shape, notes);
  noteUnits(header, notes);
  const scale = scaleOf(header, notes);

  const bytes = await (img ?? content).whole(layout.size);
  const little = header.byteOrder === "little";
  const first = headerSize[header.version] + 4;
  const extensions =
    img === undefined
      ? readExtensions(bytes, first, offset, little, notes.warn)
      : await readPairExtensions(content, first, little, notes.warn);
  const stored = bytes.subarray(offset, offset + layout.voxels * layout.volumes * layout.type.bytes);
  const isBytes = context.keepBytes && header.datatype === "uint8" && scale === null;
  const data = isBytes ? stored : (viewed(stored, layout, scale) ?? (await converted(stored, layout, scale, context)));
  // What was unpacked here, and copied, nobody else knows of.
  if ((img ?? content).compressed && data.buffer !== bytes.buffer) context.backend.release?.(bytes);
  if (layout.valuesPerVoxel > 1) {
    const message = `each of the ${layout.valuesPerVoxel} values of a voxel became a volume, in the file's order`;
    notes.warn("VectorsSplit", message);
  }
  const { decisions, warnings } = notes;
  const meta: NiftiMeta = { ...header, transform: from, extensions };
  const named = context.source === undefined ? {} : { source: context.source };
  const grid = { ...gridOf(shape, affine), ...(itk === undefined ? {} : { itk }) };
  return Array.from({ length: layout.volumes }, (_, index) => {
    const own = layout.volumes > 1 ? [`This is volume ${index + 1} of ${layout.volumes}.`] : [];
    return {
      // Of its own, since a view that goes to a worker takes all that it is a view of along.
      data: layout.volumes > 1 ? data.slice(index * layout.voxels, (index + 1) * layout.voxels) : data,
      grid,
      meta: { ...named, decisions: [...decisions, ...own], warnings, header: meta },
    };
  });
}

function several(layout: Layout): VoxnormError {
  const { volumes, valuesPerVoxel } = layout;
  const times = volumes / valuesPerVoxel;
  const parts = [
    ...(times > 1 ? [`${times} time points`] : []),
    ...(valuesPerVoxel > 1 ? [`${valuesPerVoxel} values a voxel`] : []),
  ];
  const message = `NIfTI: expected one volume, got ${parts.join(" of ")} (${sizes(layout)})`;
  const detail = { dim: layout.header.dim, volumes, times, valuesPerVoxel };
  return new VoxnormError("SeveralVolumes", `${message}; readVolumes and decodeAll read them all`, detail);
}

const sizes = ({ shape, volumes }: Layout) => (volumes > 1 ? [...shape, volumes] : shape).join(" × ");

type Scale = [slope: number, intercept: number] | null;

function scaleOf({ slope, intercept }: NiftiHeader, notes: Notes): Scale {
  if (slope === 0 || Number.isNaN(slope)) {
    notes.decide(`Stored values are taken as they are: scl_slope is ${slope}.`);
    if (intercept !== 0) {
      const message = `scl_inter is ${intercept} and was ignored, since scl_slope is ${slope}; ITK would add it`;
      notes.warn("IgnoredIntercept", message);
    }
    return null;
  }
  if (!Number.isFinite(slope) || !Number.isFinite(intercept)) {
    const message = `NIfTI: scl_slope, scl_inter: expected finite numbers, got ${slope}, ${intercept}`;
    throw new VoxnormError("BadHeader", message, { slope: String(slope), intercept: String(intercept) });
  }
  if (slope === 1 && intercept === 0) {
    notes.decide("Stored values are taken as they are: scl_slope is 1 and scl_inter 0.");
    return null;
  }
  notes.decide(`Stored values are scaled: value × ${slope} + ${intercept}.`);
  return [slope, intercept];
}

function noteUnits({ units }: NiftiHeader, notes: Notes): void {
  if (units.space !== "metres" && units.space !== "micrometres") return;
  notes.warn("UnitsIgnored", `the header's unit is ${units.space}; its numbers were taken as mm, as nibabel does`);
}

/** The stored bytes themselves, where they already are what we want. JavaScript's own byte order is little-endian. */
function viewed(stored: Uint8Array, { header, voxels, volumes }: Layout, scale: Scale): Float32Array | undefined {
  const same = header.datatype === "float32" && header.byteOrder === "little" && scale === null;
  if (!same || stored.byteOffset % 4 !== 0) return undefined;
  return new Float32Array(stored.buffer, stored.byteOffset, voxels * volumes);
}

async function converted(
  bytes: Uint8Array,
  { header, ...layout }: Layout,
  scale: Scale,
  { backend, notes, signal }: DecodeContext,
): Promise<Float32Array> {
  const voxels = layout.voxels * layout.volumes;
  const request = { stored: header.datatype, bigEndian: header.byteOrder === "big", scale };
  const reply = await backend.run({ step: "voxels.decode", phase: "run", request, buffers: { bytes }, signal });
  const { rounded, overflowed } = reply.json as { rounded: number; overflowed: number };
  if (overflowed > 0) {
    const message = `NIfTI: expected values within ±3.4e38, got ${overflowed} beyond, of ${voxels}`;
    throw new VoxnormError("ValueOutOfRange", message, { overflowed, voxels });
  }
  if (rounded > 0) {
    const message = `${rounded} of ${voxels} integers were rounded to single precision, which holds all up to ±2^24`;
    notes.warn("IntegersRounded", message);
  }
  return reply.buffers.voxels as Float32Array;
}
