/** Volumes in files, for Node: `index.ts` with zlib beneath it, and paths. Only Node's entry imports this. */
import type { Volume } from "../volume.ts";
import { readFileChecked, type WriteOptions, writeFileAtomic } from "./file-node.ts";
import * as portable from "./index.ts";
import { chooseNodePlatform } from "./platform-node.ts";

export { expectWritable, readFileChecked, sameFile, writeFileAtomic } from "./file-node.ts";
export type { DecodeOptions } from "./index.ts";

export function decode(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Volume> {
  return portable.decode(bytes, { platform: chooseNodePlatform, ...options });
}

export function encode(volume: Volume, options: portable.EncodeOptions = {}): Promise<Uint8Array> {
  return portable.encode(volume, { platform: chooseNodePlatform, ...options });
}

export function decodeAll(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Volume[]> {
  return portable.decodeAll(bytes, { platform: chooseNodePlatform, ...options });
}

export function encodeAll(volumes: readonly Volume[], options: portable.EncodeOptions = {}): Promise<Uint8Array> {
  return portable.encodeAll(volumes, { platform: chooseNodePlatform, ...options });
}

/** The volume in the file at `path`. */
export async function readVolume(path: string, options: portable.DecodeOptions = {}): Promise<Volume> {
  return decode(await readFileChecked(path), { source: path, ...options });
}

/** All volumes in the file at `path`: the time points of a series. */
export async function readVolumes(path: string, options: portable.DecodeOptions = {}): Promise<Volume[]> {
  return decodeAll(await readFileChecked(path), { source: path, ...options });
}

/** Writes `volume` to `path`, whole or not at all; gzip where the name ends in `.gz` and `gzip` does not decide. */
export async function writeVolume(
  path: string,
  volume: Volume,
  options: portable.EncodeOptions & WriteOptions = {},
): Promise<void> {
  await writeVolumes(path, [volume], options);
}

/** Writes all `volumes`, which share one grid, to `path` as time points. As `writeVolume` otherwise. */
export async function writeVolumes(
  path: string,
  volumes: readonly Volume[],
  options: portable.EncodeOptions & WriteOptions = {},
): Promise<void> {
  const gzip = options.gzip ?? path.toLowerCase().endsWith(".gz");
  await writeFileAtomic(path, await encodeAll(volumes, { ...options, gzip }), options);
}
