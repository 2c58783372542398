/**
 * Voxels as the numbers of a file, where the caller asks for another type than `float32`.
 *
 * Integers that the type holds are stored as they are; and by the scaling of the file that they were read from, where the
 * type is that file's and nothing is lost. Otherwise scl_slope and scl_inter spread the type's numbers over
 * the range of the voxels, each is rounded half to even, and the report says by how much. NaN and infinity have no
 * integer, so they are an error; nothing is ever clipped. 64-bit integers are scaled to 2^53 only: beyond, readers that compute in double
 * precision round them.
 */
import type { Backend } from "../backend/backend.ts";
import { VoxnormError } from "../errors.ts";
import type { Volume } from "../volume.ts";
import { type DatatypeName, typeNamed } from "./nifti-types.ts";

/** How voxels were stored. */
export interface EncodeReport {
  readonly datatype: DatatypeName;
  readonly slope: number;
  readonly intercept: number;
  /** Smallest and largest voxel; null where the type holds every `float32` and nobody looked. */
  readonly range: readonly [low: number, high: number] | null;
  readonly voxels: number;
  /** How many will be read back as another value. */
  readonly changed: number;
  /** By how much the worst one differs, in the voxels' unit, before a reader rounds to single precision. */
  readonly largestError: number;
}

export interface StoredVoxels {
  readonly report: EncodeReport;
  /** One for each volume. */
  readonly pieces: readonly Uint8Array[];
}

export type Scaling = readonly [slope: number, intercept: number];

/**
 * A volume as whole numbers of the first type that holds all of them. Throws `NotFinite`, or `ValueOutOfRange` where no type
 * does.
 */
export async function storeWhole(
  volume: Volume,
  types: readonly DatatypeName[],
  loadBackend: () => Promise<Backend>,
  signal?: AbortSignal,
): Promise<StoredVoxels> {
  const backend = await loadBackend();
  const range = await rangeOf([volume], backend, signal);
  const voxels = volume.data.length;
  let left: Attempt | undefined;
  for (const datatype of types) {
    left = await attempt([volume], datatype, null, backend, signal);
    if (left.notFinite > 0) throw notFinite(left.notFinite, voxels, datatype);
    if (left.changed > 0 || left.outside > 0) continue;
    const report = { datatype, slope: 1, intercept: 0, range, voxels, changed: 0, largestError: 0 };
    return { report, pieces: left.pieces };
  }
  const [low, high] = range;
  const message =
    `encode: expected whole numbers that ${types.join(" or ")} holds, got ${low} to ${high}, ${left?.changed} of ${voxels} voxels ` +
    `not whole or beyond; datatype ${types.join(" or ")} maps them to its range, and NIfTI (.nii.gz) keeps them`;
  throw new VoxnormError("ValueOutOfRange", message, { range, voxels, changed: left?.changed });
}

/** `known` is a scaling worth a try. Throws `NotFinite` where an integer type is asked for and a voxel has none. */
export async function storeVoxels(
  volumes: readonly Volume[],
  datatype: DatatypeName,
  known: Scaling | undefined,
  loadBackend: () => Promise<Backend>,
  signal?: AbortSignal,
): Promise<StoredVoxels> {
  const voxels = volumes.reduce((sum, { data }) => sum + data.length, 0);
  const unscaled = { datatype, slope: 1, intercept: 0, voxels, changed: 0, largestError: 0 };
  if (datatype === "float32") {
    const pieces = volumes.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { report: { ...unscaled, range: null }, pieces };
  }
  const backend = await loadBackend();
  const asTheyAre = await attempt(volumes, datatype, null, backend, signal);
  if (datatype === "float64") return { report: { ...unscaled, range: null }, pieces: asTheyAre.pieces };
  if (asTheyAre.notFinite > 0) throw notFinite(asTheyAre.notFinite, voxels, datatype);
  const range = await rangeOf(volumes, backend, signal);
  if (asTheyAre.changed === 0 && asTheyAre.outside === 0) {
    return { report: { ...unscaled, range }, pieces: asTheyAre.pieces };
  }
  if (known !== undefined) {
    const again = await attempt(volumes, datatype, known, backend, signal);
    if (again.changed === 0 && again.outside === 0) {
      return { report: { ...unscaled, slope: known[0], intercept: known[1], range }, pieces: again.pieces };
    }
  }
  const [slope, intercept] = scaleFor(range, datatype);
  const scaled = await attempt(volumes, datatype, [slope, intercept], backend, signal);
  if (scaled.outside > 0) throw new VoxnormError("Internal", `encode: ${scaled.outside} voxels beyond their own range`);
  const { changed, largestError, pieces } = scaled;
  return { report: { datatype, slope, intercept, range, voxels, changed, largestError }, pieces };
}

function notFinite(count: number, voxels: number, datatype: DatatypeName): VoxnormError {
  const message = `encode: expected finite voxels to write as ${datatype}, got ${count} NaN or infinite of ${voxels}`;
  return new VoxnormError("NotFinite", message, { count, voxels, datatype });
}

type Counts = Record<"changed" | "largestError" | "outside" | "notFinite", number>;
type Attempt = Counts & { pieces: Uint8Array[] };

async function attempt(
  volumes: readonly Volume[],
  stored: DatatypeName,
  scale: Scaling | null,
  backend: Backend,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const pieces: Uint8Array[] = [];
  const sum = { changed: 0, largestError: 0, outside: 0, notFinite: 0 };
  for (const { data } of volumes) {
    const request = { stored, scale };
    const reply = await backend.run({
      step: "voxels.encode",
      phase: "run",
      request,
      buffers: { voxels: data },
      signal,
    });
    const counts = reply.json as Counts;
    sum.changed += counts.changed;
    sum.outside += counts.outside;
    sum.notFinite += counts.notFinite;
    sum.largestError = Math.max(sum.largestError, counts.largestError);
    pieces.push(reply.buffers.bytes as Uint8Array);
  }
  return { ...sum, pieces };
}

async function rangeOf(volumes: readonly Volume[], backend: Backend, signal?: AbortSignal): Promise<[number, number]> {
  let [low, high] = [Infinity, -Infinity];
  for (const { data } of volumes) {
    const call = { step: "voxels.range", phase: "run", request: {}, buffers: { voxels: data }, signal } as const;
    const found = (await backend.run(call)).json as { low: number; high: number };
    low = Math.min(low, found.low);
    high = Math.max(high, found.high);
  }
  return [low, high];
}

/** Slope and intercept, as single precision holds them, by which the type's range covers that of the voxels. */
function scaleFor([low, high]: readonly [number, number], datatype: DatatypeName): [number, number] {
  const { bytes } = typeNamed(datatype);
  const isSigned = datatype.startsWith("int");
  const bits = Math.min(8 * bytes - (isSigned ? 1 : 0), 53);
  const [first, last] = [isSigned ? -(2 ** bits) : 0, 2 ** bits - 1];
  // The lowest voxel is single precision already; the middle is made so, and both ends are looked at from there.
  const intercept = isSigned ? Math.fround(low / 2 + high / 2) : low;
  const above = (high - intercept) / last;
  const below = first === 0 ? 0 : (low - intercept) / first;
  const slope = Math.max(above, below, 2 ** -126);
  // Rounded up, lest the ends fall out.
  return [Math.fround(slope) >= slope ? Math.fround(slope) : Math.fround(slope * (1 + 2 ** -23)), intercept];
}
