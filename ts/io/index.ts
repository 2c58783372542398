/**
 * Files' bytes to volumes and back: the one list of formats, found by content rather than by extension.
 *
 * Works in browsers and in Node alike. Node's entry uses `index-node.ts`, which adds zlib and files.
 */
import type { z } from "zod";
import type { Backend } from "../backend/backend.ts";
import { sharedBackend } from "../backend/shared.ts";
import { VoxnormError } from "../errors.ts";
import { badOption, parsed } from "../schema.ts";
import type { Mask, Volume } from "../volume.ts";
import { concatenate } from "./bytes.ts";
import { contentOf } from "./content.ts";
import type { Format, FormatId } from "./format.ts";
import { gzip, isGzip } from "./gzip.ts";
import { nifti } from "./nifti.ts";
import type { EncodeReport } from "./nifti-stored.ts";
import { typeNamed } from "./nifti-types.ts";
import { type Limits, limitOptions, storageOptions } from "./options.ts";
import type { ChoosePlatform, Stream } from "./platform.ts";
import { png } from "./png.ts";
import { Notes } from "./warnings.ts";

export const formats: readonly Format[] = [nifti, png];

/** The format that a file's name asks for: NIfTI, unless it ends as another one's do. */
export function formatNamed(path: string): FormatId {
  const name = path.toLowerCase();
  return (formats.find(({ extensions }) => extensions.some((ending) => name.endsWith(ending))) ?? nifti).id;
}

/** Enough of a file to tell its format by. */
const TELLING = 544;

export interface DecodeOptions {
  /** Converts the voxels; the one that all callers share where it is not given. */
  readonly backend?: Backend | undefined;
  /** What to call the bytes in messages and in `meta.source`: a path or a name. */
  readonly source?: string | undefined;
  /** The bytes of a pair's `.img`, gzip or not, where those to decode are its `.hdr`. */
  readonly img?: Uint8Array | undefined;
  /** What is more is an error; see `limitOptions` for the limits and their defaults. */
  readonly limits?: Partial<Limits> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly platform?: ChoosePlatform | undefined;
}

export interface EncodeOptions {
  /** NIfTI where it is not given; by the file's name where there is one. */
  readonly format?: FormatId | undefined;
  /**
   * The type of the stored numbers: `float32` where it is not given, `input` for that of the file that the volume was
   * read from. Integers that the type holds are stored as they are; otherwise voxels are scaled and rounded half to even.
   */
  readonly datatype?: z.input<typeof storageOptions>["datatype"];
  /** Is told the type, the scaling and what rounding changed. */
  readonly onReport?: ((report: EncodeReport) => void) | undefined;
  /** Converts voxels to another type; the one that all callers share where it is not given. */
  readonly backend?: Backend | undefined;
  readonly gzip?: boolean | undefined;
  /** How hard gzip tries, 1 to 9; 1 where it is not given, since more costs far more time than it saves space. */
  readonly level?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly platform?: ChoosePlatform | undefined;
}

/** Loaded when it is asked for, which Node never does. */
const choosePortable: ChoosePlatform = async () => (await import("./platform-portable.ts")).portablePlatform;

/**
 * The volume in a file's bytes, gzip or not.
 *
 * Where the file holds little-endian `float32` without scaling, `data` is a view of `bytes` rather than a copy:
 * leave `bytes` alone for as long as the volume is used.
 */
export async function decode(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Volume> {
  return (await decodeEach(bytes, options, true, false))[0] as Volume;
}

/** All volumes in a file's bytes: the time points of a series, each with its own `meta`. As `decode` otherwise. */
export async function decodeAll(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Volume[]> {
  return (await decodeEach(bytes, options, false, false)) as Volume[];
}

/**
 * The mask in a file's bytes. As `decode`, but where the file holds unsigned bytes without scaling, the voxels stay what
 * they are: a quarter of the memory, and less to read for whatever uses the mask.
 */
export async function decodeMask(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Mask> {
  return (await decodeEach(bytes, options, true, true))[0]!;
}

/** All masks in a file's bytes. As `decodeMask` otherwise. */
export async function decodeMasks(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Mask[]> {
  return decodeEach(bytes, options, false, true);
}

async function decodeEach(
  bytes: Uint8Array,
  options: DecodeOptions,
  single: boolean,
  keepBytes: boolean,
): Promise<Mask[]> {
  const { source, signal, platform = choosePortable } = options;
  const limits = limitsOf(options);
  const backend = options.backend ?? (await sharedBackend());
  const notes = new Notes();
  const machine = await platform(async () => backend, signal);
  const contentIn = (part: Uint8Array) => {
    if (part.length === 0) throw new VoxnormError("Truncated", "the file is empty", { size: 0 });
    expectBytes(part.length, limits);
    return contentOf(part, machine, { trailing: limits.trailing, warn: notes.warn });
  };
  try {
    const content = contentIn(bytes);
    const img = options.img === undefined ? undefined : contentIn(options.img);
    const start = await content.start(TELLING);
    const format = formats.find((format) => format.recognises(start));
    if (format === undefined) throw unknownFormat(start, content.compressed);
    return await format.decode(content, { img, backend, limits, single, keepBytes, notes, source, signal });
  } catch (error) {
    throw named(error, source);
  }
}

/** The limits that hold: complete. Throws `BadOption`. */
export function limitsOf({ limits = {} }: Pick<DecodeOptions, "limits">): Limits {
  return parsed("limits", limitOptions, limits);
}

/** Throws `TooLarge` where a file has more bytes than the caller allows, before they are read. */
export function expectBytes(size: number, { bytes }: Pick<Limits, "bytes">, source?: string): void {
  if (size <= bytes) return;
  const message = `expected at most ${bytes} bytes of a file, got ${size}; limits.bytes raises it`;
  throw named(new VoxnormError("TooLarge", message, { bytes: size, limit: bytes }), source);
}

/** The bytes of a file that holds `volume`: NIfTI unless `format` says otherwise, `float32` unless the options say otherwise. */
export async function encode(volume: Volume, options: EncodeOptions = {}): Promise<Uint8Array> {
  return encodeAll([volume], options);
}

/** The bytes of a file that holds all `volumes`, which share one grid, as time points. As `encode` otherwise. */
export async function encodeAll(volumes: readonly Volume[], options: EncodeOptions = {}): Promise<Uint8Array> {
  const [file] = await encodeFiles(volumes, false, options);
  return joined(file!);
}

/** The bytes of the two files of a pair, `.hdr` and `.img`. As `encodeAll` otherwise. */
export async function encodePair(volumes: readonly Volume[], options: EncodeOptions = {}): Promise<EncodedPair> {
  const [hdr, img] = await encodeFiles(volumes, true, { ...options, format: nifti.id });
  return { hdr: await joined(hdr!), img: await joined(img!) };
}

export interface EncodedPair {
  readonly hdr: Uint8Array;
  readonly img: Uint8Array;
}

/**
 * The bytes of a file, or of both files of a pair, not joined: the volumes' own voxels may be among them. They are
 * compressed as they are asked for, once.
 */
export async function encodeFiles(
  volumes: readonly Volume[],
  isPair: boolean,
  options: EncodeOptions,
): Promise<Stream[]> {
  const { platform = choosePortable, onReport, signal } = options;
  const { datatype, level } = parsed("encode", storageOptions, { datatype: options.datatype, level: options.level });
  const backend = async () => options.backend ?? sharedBackend();
  const format = formats.find(({ id }) => id === (options.format ?? nifti.id));
  if (format === undefined) {
    throw badOption("encode", "format", `expected one of ${formats.map(({ id }) => id).join(", ")}`, options.format);
  }
  let words = false;
  const report = (stored: EncodeReport) => {
    words = typeNamed(stored.datatype).bytes % 4 === 0;
    onReport?.(stored);
  };
  const files = await format.encode(volumes, { isPair, datatype, backend, onReport: report, signal });
  if (!options.gzip) return files;
  const machine = await platform(backend, signal);
  return files.map((file) => gzip(file, machine, { level, words }));
}

async function joined(stream: Stream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return concatenate(pieces);
}

function unknownFormat(start: Uint8Array, compressed: boolean): VoxnormError {
  const known = formats.map(({ id, extensions }) => `${id} (${extensions.join(", ")})`).join(", ");
  const beginning = [...start.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const what = compressed && isGzip(start, 0) ? "is gzip within gzip; unpack it once" : `begins with ${beginning}`;
  return new VoxnormError("UnknownFormat", `expected one of ${known}; the content ${what}`, { beginning, compressed });
}

/** What is wrong with a file, with the file's name in front. */
function named(error: unknown, source: string | undefined): unknown {
  if (!(error instanceof VoxnormError) || source === undefined) return error;
  if (error.kind !== "input" && error.kind !== "limit") return error;
  return new VoxnormError(error.code, `${source}: ${error.message}`, { source, ...error.detail }, error.cause);
}
