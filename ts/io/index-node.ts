/** Volumes in files, for Node: `index.ts` with zlib beneath it, and paths. Only Node's entry imports this. */
import type { Volume } from "../volume.ts";
import { readFileChecked, type WriteOptions, writeFileAtomic } from "./file-node.ts";
import * as portable from "./index.ts";
import { nodePlatform } from "./platform-node.ts";

export { expectWritable, readFileChecked, sameFile, writeFileAtomic } from "./file-node.ts";
export type { DecodeOptions } from "./index.ts";

export function decode(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Volume> {
  return portable.decode(bytes, { platform: nodePlatform, ...options });
}

export function encode(volume: Volume, options: portable.EncodeOptions = {}): Promise<Uint8Array> {
  return portable.encode(volume, { platform: nodePlatform, ...options });
}

/** The volume in the file at `path`. */
export async function readVolume(path: string, options: portable.DecodeOptions = {}): Promise<Volume> {
  return decode(await readFileChecked(path), { source: path, ...options });
}

/** Writes `volume` to `path`, whole or not at all; gzip where the name ends in `.gz` and `gzip` does not decide. */
export async function writeVolume(
  path: string,
  volume: Volume,
  options: portable.EncodeOptions & WriteOptions = {},
): Promise<void> {
  const gzip = options.gzip ?? path.toLowerCase().endsWith(".gz");
  await writeFileAtomic(path, await encode(volume, { ...options, gzip }), options);
}
