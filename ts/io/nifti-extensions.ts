/**
 * The extensions between header and voxels: size, code, content, one after the other.
 *
 * Any code is accepted. What they say (a pipeline's history, a DICOM header) is nobody's here: it is kept as it is and
 * written again, the content byte for byte.
 */
import { VoxnormError } from "../errors.ts";
import { allocate, concatenate } from "./bytes.ts";
import type { Content } from "./content.ts";
import type { Warn } from "./warnings.ts";

export interface Extension {
  readonly code: number;
  /** Bytes, with the eight of size and code. */
  readonly size: number;
  /** What follows size and code, padding and all, in a buffer of its own. */
  readonly content: Uint8Array;
}

/** What lies between header and voxels of a file that we write: the flag and the extensions. */
export function extensionBytes(extensions: readonly Extension[]): Uint8Array {
  const pieces = extensions.map(({ code, content }) => {
    const head = new DataView(new ArrayBuffer(8));
    const size = Math.ceil((8 + content.length) / 16) * 16;
    head.setInt32(0, size, true);
    head.setInt32(4, code, true);
    return [new Uint8Array(head.buffer), content, allocate(size - 8 - content.length)];
  });
  return concatenate([Uint8Array.of(extensions.length > 0 ? 1 : 0, 0, 0, 0), ...pieces.flat()]);
}

/** The extensions in `bytes`, from `start` to where the voxels begin. Throws `BadHeader`. */
export function readExtensions(
  bytes: Uint8Array,
  start: number,
  voxels: number,
  little: boolean,
  warn: Warn,
): Extension[] {
  const flag = bytes[start - 4];
  if (flag === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, voxels);
  const found: Extension[] = [];
  for (let at = start; at + 16 <= voxels; ) {
    const size = view.getInt32(at, little);
    const code = view.getInt32(at + 4, little);
    if (size === 0 && code === 0) {
      warn("ExtensionsIgnored", `the list of extensions ends ${voxels - at} bytes before the voxels`);
      break;
    }
    if (size < 16 || size % 16 !== 0 || at + size > voxels) {
      const message = `NIfTI: extension at byte ${at}: expected a size that is a multiple of 16`;
      throw new VoxnormError("BadHeader", `${message} and ends by byte ${voxels}, got ${size}`, { at, size, voxels });
    }
    found.push({ code, size, content: bytes.slice(at + 8, at + size) });
    at += size;
  }
  return found;
}

/** Most bytes of a header with its extensions. */
const mostHeader = 2 ** 24;

/** Of a pair, all behind the header are extensions. Throws `BadHeader`, and `TrailingData` where there is far too much. */
export async function readPairExtensions(
  hdr: Content,
  start: number,
  little: boolean,
  warn: Warn,
): Promise<Extension[]> {
  const bytes = await hdr.start(mostHeader + 1);
  if (bytes.length > mostHeader) {
    const message = `NIfTI: expected a header with at most ${mostHeader} bytes of extensions, got ${bytes.length} or more`;
    throw new VoxnormError("TrailingData", message, { bytes: bytes.length });
  }
  // The flag may be missing: the header alone is complete.
  if (bytes.length < start || bytes[start - 4] === 0) {
    if (bytes.length > start) warn("TrailingBytes", `${bytes.length - start} bytes behind the header were ignored`);
    return [];
  }
  return readExtensions(bytes, start, bytes.length, little, warn);
}
