/**
 * Writes PNG: one plane of one or three channels, 8 or 16 bits a sample.
 *
 * PNG has no scaling. Where no type is asked for, voxels must be whole numbers that 8 or 16 bits hold, and 8 are taken where they
 * suffice. `uint8` and `uint16` spread the range of other voxels over that of the type, half to even, as for NIfTI; slope and
 * intercept are in the report alone. Origin and orientation are not kept; the pixels' size is, to a whole number a metre.
 */
import { VoxnormError } from "../errors.ts";
import type { Volume } from "../volume.ts";
import { concatenate } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import type { EncodeContext } from "./format.ts";
import { type StoredVoxels, storeVoxels, storeWhole } from "./nifti-stored.ts";
import type { Pieces } from "./platform.ts";
import type { PngMeta } from "./png.ts";

/** Signature and header. */
const head = 33;

export async function encodePng(volumes: readonly Volume[], context: EncodeContext): Promise<Pieces[]> {
  const volume = expectPlane(volumes);
  const [width, height] = volume.grid.shape;
  const { channels } = volume.grid;
  const { report, pieces } = await stored(volume, context);
  const planes = pieces[0]!;
  const data = report.datatype === "uint8" ? planes : new Uint16Array(planes.slice().buffer);
  const pixels = data.slice();
  for (let channel = 0; channel < channels; channel++) {
    const first = channel * width * height;
    for (let i = 0; i < width * height; i++) pixels[i * channels + channel] = data[first + i]!;
  }
  const { encode } = await import("fast-png");
  const bytes = encode({ width, height, channels, depth: data === planes ? 8 : 16, data: pixels });
  context.onReport?.(report);
  return [[concatenate([bytes.subarray(0, head), density(volume), bytes.subarray(head)])]];
}

function stored(volume: Volume, { datatype, backend, signal }: EncodeContext): Promise<StoredVoxels> {
  const input = volume.meta.header as Partial<PngMeta> | undefined;
  const wanted = datatype === "input" ? input?.datatype : datatype;
  if (wanted === "uint8" || wanted === "uint16") return storeVoxels([volume], wanted, undefined, backend, signal);
  if (wanted === "float32") return storeWhole(volume, ["uint8", "uint16"], backend, signal);
  const message = `PNG: datatype: expected uint8 or uint16, or none for whole numbers as they are, got ${datatype}`;
  throw new VoxnormError("BadOption", message, { datatype });
}

function expectPlane(volumes: readonly Volume[]): Volume {
  const fail = (message: string, detail: Record<string, unknown>): never => {
    throw new VoxnormError("BadVolume", `PNG: ${message}`, detail);
  };
  const [volume] = volumes;
  if (volume === undefined || volumes.length > 1) {
    return fail(`expected one volume to write, got ${volumes.length}`, { volumes: volumes.length });
  }
  const { shape, channels } = volume.grid;
  if (shape[2] !== 1) fail(`expected a single plane to write, got ${shape.join(" × ")}`, { shape });
  if (channels !== 1 && channels !== 3) fail(`expected 1 or 3 channels to write, got ${channels}`, { channels });
  if (volume.data.length !== shape[0] * shape[1] * channels) {
    fail(
      `expected ${shape[0] * shape[1] * channels} voxels for shape ${shape.join(" × ")}, got ${volume.data.length}`,
      { shape },
    );
  }
  return volume;
}

/** The chunk pHYs; nothing where the picture that the volume was read from named no size, or a metre has no pixel. */
function density({ grid, meta }: Volume): Uint8Array {
  const input = meta.header as Partial<PngMeta> | undefined;
  const counts = [0, 1].map((axis) => Math.round(1000 / grid.spacing[axis]!));
  const isNamed = input?.format !== "png" || input.pixelsPerMetre !== null;
  if (!isNamed || counts.some((count) => !(count >= 1 && count < 2 ** 31))) return new Uint8Array(0);
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set(new TextEncoder().encode("pHYs"), 4);
  for (const [index, count] of counts.entries()) view.setUint32(8 + 4 * index, count);
  chunk[16] = 1;
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  return chunk;
}
