/**
 * The extensions between header and voxels: size, code, content, one after the other.
 *
 * Any code is accepted. They are listed and not carried over to files that we write, since what they say (a pipeline's
 * history, a DICOM header) need not hold for the voxels that we write.
 */
import { VoxnormError } from "../errors.ts";
import type { Warn } from "./warnings.ts";

export interface Extension {
  readonly code: number;
  /** Bytes, with the eight of size and code. */
  readonly size: number;
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
    found.push({ code, size });
    at += size;
  }
  return found;
}
