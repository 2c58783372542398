/** Volumes in files, for Node: `index.ts` with a faster gzip beneath it, and paths. Only Node's entry imports this. */
import { existsSync } from "node:fs";
import { sharedBackend } from "../backend/shared.ts";
import { VoxnormError } from "../errors.ts";
import type { Mask, Volume } from "../volume.ts";
import { readFileChecked, type WriteOptions, writeFilesAtomic } from "./file-node.ts";
import { isGzip } from "./gzip.ts";
import * as portable from "./index.ts";
import { filesOf, pairOf, spellings } from "./nifti-pair.ts";
import { chooseNodePlatform } from "./platform-node.ts";

export { expectWritable, readFileChecked, sameFile, writeFileAtomic } from "./file-node.ts";
export { type DecodeOptions, expectBytes, limitsOf } from "./index.ts";
export { filesOf } from "./nifti-pair.ts";

export function decode(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Volume> {
  return portable.decode(bytes, { platform: chooseNodePlatform, ...options });
}

export function encode(volume: Volume, options: portable.EncodeOptions = {}): Promise<Uint8Array> {
  return portable.encode(volume, { platform: chooseNodePlatform, ...options });
}

export function decodeAll(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Volume[]> {
  return portable.decodeAll(bytes, { platform: chooseNodePlatform, ...options });
}

export function decodeMask(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Mask> {
  return portable.decodeMask(bytes, { platform: chooseNodePlatform, ...options });
}

export function decodeMasks(bytes: Uint8Array, options: portable.DecodeOptions = {}): Promise<Mask[]> {
  return portable.decodeMasks(bytes, { platform: chooseNodePlatform, ...options });
}

export function encodeAll(volumes: readonly Volume[], options: portable.EncodeOptions = {}): Promise<Uint8Array> {
  return portable.encodeAll(volumes, { platform: chooseNodePlatform, ...options });
}

export function encodePair(
  volumes: readonly Volume[],
  options: portable.EncodeOptions = {},
): Promise<portable.EncodedPair> {
  return portable.encodePair(volumes, { platform: chooseNodePlatform, ...options });
}

/** The volume in the file at `path`, which may be either part of a pair. */
export function readVolume(path: string, options: portable.DecodeOptions = {}): Promise<Volume> {
  return read(path, options, decode);
}

/** All volumes in the file at `path`: the time points of a series. As `readVolume` otherwise. */
export function readVolumes(path: string, options: portable.DecodeOptions = {}): Promise<Volume[]> {
  return read(path, options, decodeAll);
}

/** The mask in the file at `path`. As `readVolume`, but the unsigned bytes of a file without scaling stay what they are. */
export function readMask(path: string, options: portable.DecodeOptions = {}): Promise<Mask> {
  return read(path, options, decodeMask);
}

/** All masks in the file at `path`. As `readMask` otherwise. */
export function readMasks(path: string, options: portable.DecodeOptions = {}): Promise<Mask[]> {
  return read(path, options, decodeMasks);
}

/**
 * Writes `volume` to `path`, whole or not at all; gzip where the name ends in `.gz` and `gzip` does not decide, a pair
 * where it ends in `.hdr` or `.img`, PNG where it ends in `.png`.
 */
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
  const names = filesOf(path);
  const encoding = { platform: chooseNodePlatform, format: portable.formatNamed(path), ...options, gzip };
  const files = await portable.encodeFiles(volumes, names.length === 2, encoding);
  // Packed pieces are nobody else's; those that are not are the voxels themselves.
  const { backend } = options;
  const written = gzip ? (piece: Uint8Array) => backend?.release?.(piece) : undefined;
  await writeFilesAtomic(
    files.map((pieces, index) => [names[index]!, pieces]),
    options,
    written,
  );
}

/** What `decodes` makes of the file at `path`, whose packed bytes nobody uses any more. */
async function read<T>(path: string, options: portable.DecodeOptions, decodes: Decodes<T>): Promise<T> {
  const [bytes, img] = await readParts(path, options);
  const backend = options.backend ?? (await sharedBackend());
  const found = await decodes(bytes, { source: path, img, ...options, backend });
  for (const part of [bytes, img]) if (part !== undefined && isGzip(part, 0)) backend.release?.(part);
  return found;
}

type Decodes<T> = (bytes: Uint8Array, options: portable.DecodeOptions) => Promise<T>;

/** The file, or of a pair the header and the voxels. */
async function readParts(path: string, options: portable.DecodeOptions): Promise<[Uint8Array, Uint8Array?]> {
  const limits = portable.limitsOf(options);
  const read = (each: string) => readFileChecked(each, (size) => portable.expectBytes(size, limits, each));
  const pair = pairOf(path);
  if (pair === undefined) return [await read(path)];
  const parts = [pair.hdr, pair.img].map((part) => (part === path ? path : existing(part, path)));
  return [await read(parts[0]!), await read(parts[1]!)];
}

/** The other part of a pair, compressed or not. Throws `NotFound`. */
function existing(part: string, path: string): string {
  const names = spellings(part);
  const found = names.find((name) => existsSync(name));
  if (found !== undefined) return found;
  const message = `${path}: expected the other part of the pair beside it, ${names.join(" or ")}; there is none`;
  throw new VoxnormError("NotFound", message, { path, expected: names });
}
